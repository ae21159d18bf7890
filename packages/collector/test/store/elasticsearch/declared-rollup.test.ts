import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import type { DeclaredRows } from '../../../src/query/declared.ts';
import type { Filter } from '../../../src/query/query.ts';
import { NUMERIC_KEYS_MAX } from '../../../src/store/elasticsearch/template.ts';
import type { ElasticsearchStore } from '../../../src/store/elasticsearch/store.ts';
import { asked, DECLARED, eventArb, live, queryArb } from '../declared-orders.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const HOUR_MS = 3_600_000;
const signal = new AbortController().signal;
const noRejects = (): Promise<void> => Promise.resolve();

let cluster: TestCluster;
/** What the clock of the stores says. */
let clock = 0;
let journals = 0;
beforeEach(async () => {
  cluster = await testCluster();
  clock = Date.UTC(2026, 10, 25, 12);
});
afterEach(() => cluster.clean());

const open = (queries: Readonly<Record<string, DeclaredRows>>): ElasticsearchStore =>
  cluster.open({ queries, oldMs: 0, now: () => clock, numericKeys: ['price'] });

async function take(store: ElasticsearchStore, events: readonly StoredEvent[]): Promise<void> {
  await store.append(batchOf(`journal-${++journals}`, 1, events), noRejects);
  await store.refresh();
}

/** Finds what is not true any more, then deletes it and counts anew. */
async function maintain(store: ElasticsearchStore): Promise<void> {
  await store.maintain(signal);
  await store.maintain(signal);
}

/** The indices that the searches go over which answer a query. */
async function among(
  store: ElasticsearchStore,
  query: Parameters<ElasticsearchStore['query']>[0],
): Promise<readonly string[]> {
  const explained: unknown = JSON.parse(await store.explain(query));
  const searches = (Array.isArray(explained) ? explained : [explained]) as { index: string[] }[];
  return searches
    .flatMap(({ index }) => index)
    .map((index) => index.slice(cluster.prefix.length))
    .map((index) => index.replace(/declared_[0-9a-f]+/u, 'declared'));
}

/** At the same time of one of three days: each that there is gets counted again and again. */
function ofFewDays(event: StoredEvent): StoredEvent {
  const days = ['2026-10-04', '2026-10-31', '2026-11-01'];
  const { '@timestamp': time } = event;
  const day = days[Number(time.slice(8, 10)) % days.length] ?? '';
  return { ...event, '@timestamp': day + time.slice(10), 'event.ingested': day + time.slice(10) };
}

describe('rollups of declared queries', () => {
  it('answer as the events themselves do, whatever came late or went', async () => {
    const store = open(DECLARED);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(eventArb.map(ofFewDays), { minLength: 1, maxLength: 12 }), {
          minLength: 3,
          maxLength: 3,
        }),
        fc.array(queryArb, { minLength: 20, maxLength: 20 }),
        async ([early = [], late = [], last = []], queries) => {
          const expectSame = async (): Promise<void> => {
            const [counted, read] = await Promise.all(
              [queries, queries.map(live)].map((some) =>
                Promise.all(some.map((query) => store.query(query))),
              ),
            );
            expect(counted).toEqual(read);
          };
          await take(store, early);
          await store.maintain(signal);
          await expectSame();
          await take(store, late);
          await expectSame();
          await maintain(store);
          await store.erase({
            item: 'trees',
            from: Date.UTC(2026, 9, 3),
            to: Date.UTC(2026, 10, 2),
          });
          await expectSame();
          await maintain(store);
          await take(store, last);
          await expectSame();
        },
      ),
      // Indices of counts are made and dropped again and again: to shrink would take too long.
      { numRuns: 1, endOnFailure: true },
    );
  });

  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 8) };
  const order = (date: number, department: string): StoredEvent =>
    eventAt(`2026-11-0${date}T10:00:00.000Z`, 'app', {
      'event.action': 'order',
      item: 'trees',
      labels: { department },
      metrics: { price: date },
    });
  const { departments } = DECLARED;
  const ofTrees: Filter = { kind: 'equals', field: 'item', value: 'trees' };
  const query = asked(departments, [ofTrees], range);
  const rows = [
    { department: 'parks', revenue: 3, orders: 2, dear: 0, mean: 1.5, least: 1, most: 2 },
    { department: 'streets', revenue: 2, orders: 1, dear: 0, mean: 2, least: 2, most: 2 },
  ];
  const events = [order(1, 'parks'), order(2, 'parks'), order(2, 'streets')];

  it('are made of the events that are there, shown while they grow, and shared', async () => {
    const before = open({});
    await take(before, events);
    await maintain(before);
    const { revenue, ...others } = departments.measures;
    const renamed = { ...departments, measures: { income: revenue, ...others }, limit: 5 };
    const store = open({ departments, renamed });
    const declared = async () => (await store.rollups()).slice(1);
    const name = 'departments, renamed';
    expect(await declared()).toEqual([{ name, events: 3, counted: 0, isUpToDate: false }]);
    expect(await among(store, query)).toEqual(['-*']);
    expect(await store.query(query)).toEqual(rows);
    expect(await store.isCountedAhead(query, 1000)).toBe(false);
    await maintain(store);
    expect(await store.isCountedAhead(query, 0)).toBe(true);
    await take(store, [order(3, 'parks')]);
    expect(await store.isCountedAhead(query, 0)).toBe(false);
    expect(await store.isCountedAhead(query, 1)).toBe(true);
    await store.erase({ item: 'trees', from: Date.UTC(2026, 10, 3) });
    await maintain(store);
    expect(await declared()).toEqual([{ name, events: 3, counted: 3, isUpToDate: true }]);
    expect(await among(store, query)).toEqual(['_rollup_declared_days_2026-11']);
    expect(await store.query(query)).toEqual(rows);
  });

  it('are dropped an hour after the last collector that declares them', async () => {
    const [store, other] = [open({ departments }), open({})];
    await take(store, events);
    await maintain(store);
    const counts = (): Promise<string[]> =>
      cluster.client.indices
        .get({ index: `${cluster.prefix}_rollup_declared*` })
        .then((found) => Object.keys(found));
    clock += HOUR_MS / 2;
    await maintain(store);
    clock += HOUR_MS / 2;
    await maintain(other);
    expect(await counts()).toHaveLength(1);
    clock += HOUR_MS / 2;
    await maintain(other);
    expect(await counts()).toEqual([]);
    expect(await store.query(query)).toEqual(rows);
  });

  it('outlive their events where they were declared in time', async () => {
    const store = open({ departments });
    await take(store, events);
    expect(await store.expire('2026-11-02', '0001-01-01')).toBe(1);
    expect(await store.query(query)).toEqual(rows);
    expect(await store.query(live(query))).toMatchObject([
      { department: 'parks', orders: 1 },
      { department: 'streets', orders: 1 },
    ]);
    expect(await store.countsFrom(query)).toBeLessThan(range.from);
    expect(await store.erase({ item: 'trees' })).toBe(2);
    expect(await store.query(query)).toEqual([]);
  });

  it('that are declared later begin with the events that are there, and say so', async () => {
    const before = open({});
    await take(before, events);
    await before.expire('2026-11-02', '0001-01-01');
    const store = open({ departments });
    expect(await store.countsFrom(query)).toBe(Date.UTC(2026, 10, 2));
    await maintain(store);
    expect(await store.countsFrom(query)).toBe(Date.UTC(2026, 10, 2));
    await store.expire('2026-11-03', '0001-01-01');
    expect(await store.countsFrom(query)).toBe(Date.UTC(2026, 10, 2));
    expect(await store.query(query)).toMatchObject([
      { department: 'parks', orders: 1 },
      { department: 'streets', orders: 1 },
    ]);
    await store.expire('2026-11-04');
    expect(await store.countsFrom(query)).toBe(Date.UTC(2026, 10, 4));
  });

  it('are not made of days that do not keep what they need, and nobody is told half', async () => {
    const store = cluster.open({ queries: { departments }, oldMs: 0, now: () => clock });
    const keys = Array.from({ length: NUMERIC_KEYS_MAX }, (_, index) => `key${index}`);
    for (let at = 0; at < keys.length; at += 100) {
      const metrics = Object.fromEntries(keys.slice(at, at + 100).map((key) => [key, 1]));
      await take(store, [eventAt('2026-11-02T09:00:00.000Z', 'app', { metrics })]);
    }
    await take(store, events);
    await maintain(store);
    const [, progress] = await store.rollups();
    expect(progress).toMatchObject({ counted: 1, isUpToDate: true });
    await expect(store.query(query)).rejects.toMatchObject({ code: 'bad-request' });
    const first = { ...query, range: { ...range, to: Date.UTC(2026, 10, 2) } };
    expect(await store.query(first)).toMatchObject([{ department: 'parks', revenue: 1 }]);
  });
});

import type { estypes } from '@elastic/elasticsearch';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import type { Dimension, Filter, Query } from '../../../src/query/query.ts';
import { SITE_VERSION, VERSION } from '../../../src/store/elasticsearch/rollup.ts';
import { RollupVersions } from '../../../src/store/elasticsearch/rollup-versions.ts';
import { evaluate } from '../../query/evaluate.ts';
import { eventsArb } from '../../query/random.ts';
import { ofApp, withStore } from '../conformance/with-store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const DAY_MS = 86_400_000;
const DAY = '2026-11-20';
const now = Date.UTC(2026, 10, 25, 12);
const range = { from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 11, 1) };
const never = new AbortController().signal;
const count = { kind: 'count' } as const;

let cluster: TestCluster;
/** What the clock of the stores says. */
let clock = now;
beforeAll(async () => {
  cluster = await testCluster();
});
afterAll(() => cluster.clean());

const opened = () => cluster.open({ shards: 2, oldMs: 0, now: () => clock });
const open = withStore(() => Promise.resolve(opened()));

const view = (item: string | undefined, fields: Partial<StoredEvent> = {}): StoredEvent =>
  eventAt(`${DAY}T10:00:00.000Z`, 'to be named', { ...(item && { item }), ...fields });

/** Events of an app of their own. */
async function take(events: readonly StoredEvent[], app = open.newName()): Promise<string> {
  await open.takeEvents(events.map((event) => ({ ...event, 'service.name': app })));
  return app;
}

/** Finds what is not true any more, then deletes it and counts anew. */
async function maintain(store = open.store): Promise<void> {
  await store.maintain(never);
  await store.maintain(never);
}

const byItem = (app: string): Query => ({
  measures: { n: count },
  dimensions: { item: { kind: 'field', field: 'item', missing: 'none' } },
  filter: ofApp(app),
  range: { from: Date.parse(DAY), to: Date.parse(DAY) + DAY_MS },
});

/** The answer, and whether it came from counts alone, from both, or from events. */
async function ask(query: Query): Promise<[Record<string, unknown>, string]> {
  const rows = await open.store.query(query);
  const plan = await open.store.explain(query);
  const isCounted = plan.includes(VERSION) || plan.includes(SITE_VERSION);
  const source = !isCounted ? 'events' : plan.includes('_index') ? 'both' : 'counts';
  return [Object.fromEntries(rows.map(({ item, n }) => [item, n])), source];
}

async function indices(like: string): Promise<readonly string[]> {
  const index = `${cluster.prefix}${like}`;
  return Object.keys(
    await cluster.client.indices.get({ index, allow_no_indices: true }),
  ).toSorted();
}

/** Documents of counts. */
async function countsKept(): Promise<number> {
  const index = `${cluster.prefix}_rollup_*`;
  await cluster.client.indices.refresh({ index });
  return (await cluster.client.count({ index })).count;
}

describe('random events', () => {
  it('are counted as plain loops count them: new, late, erased, counted anew', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(withReferers(eventsArb('to be named')), { minLength: 3, maxLength: 3 }),
        fc.array(countingArb, { minLength: 6, maxLength: 12 }),
        async (parts, queries) => {
          const app = open.newName();
          const events: StoredEvent[] = [];
          const expectSame = async (): Promise<void> => {
            for (const query of queries) {
              const asked = { ...query, filter: both(ofApp(app), query.filter) };
              const expected = evaluate(
                asked,
                events.map((event) => ({ ...event })),
              );
              expect(await open.store.query(asked)).toEqual(expected);
            }
          };
          for (const part of parts) {
            const named = part.map((event) => ({ ...event, 'service.name': app }));
            events.push(...named);
            if (named.length > 0) await open.takeEvents(named);
            await expectSame();
            await maintain();
            await expectSame();
          }
          events.splice(0, Infinity, ...events.filter(({ item }) => item !== 'a'));
          await open.store.erase({ app, item: 'a' });
          await expectSame();
          await maintain();
          await expectSame();
        },
      ),
      { numRuns: 3 },
    );
  });
});

describe('counts', () => {
  it('answer for days that are over', async () => {
    const app = await take([view('a'), view('a', { bot: true }), view('b'), view(undefined)]);
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 2, b: 1, none: 1 }, 'counts']);
    const explained: estypes.SearchRequest = JSON.parse(await open.store.explain(byItem(app)));
    const answer = await cluster.client.search(explained);
    expect(answer.aggregations?.['item']).toMatchObject({
      buckets: [
        { key: 'a', doc_count: 2 },
        { key: 'b', doc_count: 1 },
        { key: 'none', doc_count: 1 },
      ],
    });
    const total = { measures: { n: count }, filter: ofApp(app), range: byItem(app).range };
    expect(await ask(total)).toEqual([{ undefined: 4 }, 'counts']);
  });

  it('say each search of a query that an odd hour of its zone splits', async () => {
    const query: Query = {
      measures: { n: count },
      dimensions: { hour: { kind: 'time', interval: 'hour' } },
      range: { from: Date.parse('2026-04-04'), to: Date.parse('2026-04-06') },
      timeZone: 'Australia/Lord_Howe',
    };
    const searches: unknown = JSON.parse(await open.store.explain(query));
    expect(searches).toHaveLength(3);
  });

  it('give way to events that come late, until they are made anew', async () => {
    const app = await take([view('a')]);
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'counts']);
    await take([view('a'), view('b')], app);
    expect((await ask(byItem(app)))[0]).toEqual({ a: 2, b: 1 });
    const before = await countsKept();
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 2, b: 1 }, 'counts']);
    // One more by day and by quarter hour; those that are not true any more are gone.
    expect(await countsKept()).toBe(before + 2);
  });

  it('are of events whose time lies in another day than their index', async () => {
    const elsewhere = { 'event.created': '2026-11-02T10:00:00.000Z' };
    const app = await take([view('a', elsewhere), view('a')]);
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 2 }, 'counts']);
    expect(await open.store.erase({ app, item: 'a' })).toBe(2);
    expect((await ask(byItem(app)))[0]).toEqual({});
    await maintain();
    expect(await ask(byItem(app))).toEqual([{}, 'counts']);
  });

  it('are whole, however many there are', async () => {
    const items = 10_500;
    const app = await take(Array.from({ length: items }, (_, index) => view(`item-${index}`)));
    await maintain();
    const filter = both(ofApp(app), { kind: 'prefix', field: 'item', value: 'item-' });
    expect(await ask({ ...byItem(app), dimensions: {}, filter })).toEqual([
      { undefined: items },
      'counts',
    ]);
  });

  it('are not read when the work was interrupted', async () => {
    const app = await take([view('a'), view('b')]);
    await open.store.maintain(never);
    let looks = 0;
    // Aborted when the first page is there.
    const soon = {
      get aborted() {
        return ++looks > 1;
      },
    } as AbortSignal;
    await open.store.maintain(soon);
    expect(looks).toBe(2);
    expect((await ask(byItem(app)))[0]).toEqual({ a: 1, b: 1 });
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 1, b: 1 }, 'counts']);
  });

  it('are made by one of several collectors, until it is gone', async () => {
    const app = await take([view('a')]);
    const other = opened();
    await Promise.all([maintain(), maintain(other)]);
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'counts']);
    await take([view('a')], app);
    const versions = new RollupVersions(cluster.client, cluster.prefix);
    expect(await versions.lease('that will be gone', clock, clock + 60_000)).toBe(true);
    await maintain();
    expect((await ask(byItem(app)))[0]).toEqual({ a: 2 });
    expect((await open.store.rollups())[0]?.isUpToDate).toBe(true);
    expect((await ask(byItem(app)))[1]).not.toBe('counts');
    clock += 60_000;
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 2 }, 'counts']);
  });

  it('are right whatever is written while they are made', async () => {
    // Old counts stay, so that nobody reads what is being deleted.
    const [writer, counter] = [{}, {}].map(() => cluster.open({ now: () => clock }));
    if (!writer || !counter) throw new Error('no stores');
    const app = open.newName();
    const days = [1, 2, 3, 4, 5, 6].map((day) => `2026-07-0${day}`);
    const done = new AbortController();
    const counting = async (): Promise<void> => {
      while (!done.signal.aborted) await counter.maintain(never);
    };
    const writing = async (): Promise<void> => {
      let written = 0;
      for (const day of days) {
        for (let part = 0; part < 4; part++) {
          const time = `${day}T10:00:00.000Z`;
          const event = eventAt(time, app, { item: 'a' });
          await writer.append(batchOf(open.newName(), 1, [event, event]), async () => {});
          await writer.refresh();
          written += 2;
          const query = {
            measures: { n: count },
            filter: ofApp(app),
            range: { ...range, from: 0 },
          };
          expect(await writer.query(query)).toEqual([{ n: written }]);
        }
      }
    };
    await Promise.all([counting(), writing().finally(() => done.abort())]);
  });

  it('are made anew when somebody has deleted them', async () => {
    const app = await take([view('a')]);
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'counts']);
    await cluster.client.indices.delete({ index: [...(await indices('_rollup_*'))] });
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'events']);
    await maintain();
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'counts']);
  });

  it('are made anew at once when an operator says so', async () => {
    const app = await take([view('a')]);
    await maintain();
    const before = await countsKept();
    await open.store.rebuildRollup('tock');
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'events']);
    expect((await open.store.rollups())[0]).toMatchObject({ counted: 0, isUpToDate: false });
    // Those who have begun to read the old ones may end it.
    const careful = cluster.open({ now: () => clock });
    await careful.maintain(never);
    await open.store.refresh();
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'counts']);
    expect(await countsKept()).toBe(2 * before);
    await maintain();
    expect(await countsKept()).toBe(before);
  });

  it('are put together anew where an index has gone since', async () => {
    const time = new Date(now).toISOString();
    const app = await take([view('a'), view('a', { '@timestamp': time, 'event.ingested': time })]);
    await maintain();
    const query = { ...byItem(app), range };
    expect(await ask(query)).toEqual([{ a: 2 }, 'both']);
    const index = `${cluster.prefix}-${time.slice(0, 10).replaceAll('-', '.')}`;
    await cluster.client.indices.close({ index });
    expect(await open.store.query(query)).toEqual([{ item: 'a', n: 1 }]);
    await cluster.client.indices.open({ index });
    await open.store.refresh();
    expect(await open.store.query(query)).toEqual([{ item: 'a', n: 2 }]);
    await cluster.client.indices.delete({ index });
    expect(await open.store.query(query)).toEqual([{ item: 'a', n: 1 }]);
  });

  it('go with the days that they are of', async () => {
    const old = {
      '@timestamp': '2026-08-03T10:00:00.000Z',
      'event.ingested': '2026-08-03T10:00:00.000Z',
    };
    const app = await take([view('a', old)]);
    await maintain();
    expect(await indices('_rollup_days_2026-08')).toHaveLength(1);
    await open.store.expire('2026-09-01');
    expect((await ask({ ...byItem(app), range: { ...range, from: 0 } }))[0]).toEqual({});
    await maintain();
    expect(await indices('_rollup_*_2026-08')).toEqual([]);
  });

  it('are not made of today', async () => {
    const time = new Date(now).toISOString();
    const today = { '@timestamp': time, 'event.ingested': time };
    const app = await take([view('a'), view('a', today)]);
    await maintain();
    expect(await ask({ ...byItem(app), range })).toEqual([{ a: 2 }, 'both']);
    const [tock] = await open.store.rollups();
    const events = (tock?.counted ?? 0) + 1;
    expect(tock).toMatchObject({ name: 'tock', events, isUpToDate: true });
    expect(await ask(byItem(app))).toEqual([{ a: 1 }, 'both']);
  });
});

const fields = ['item', 'event', 'bot', 'format', 'referer'] as const;

function both(first: Filter, second: Filter | undefined): Filter {
  return { kind: 'and', filters: second ? [first, second] : [first] };
}

function withReferers(arb: fc.Arbitrary<StoredEvent[]>): fc.Arbitrary<StoredEvent[]> {
  const referer = fc.option(fc.constantFrom('x.example', 'y.example/z'), { nil: undefined });
  return fc
    .tuple(arb, fc.array(referer, { minLength: 100, maxLength: 100 }))
    .map(([events, some]) =>
      events.map((event, index) => ({ ...event, ...(some[index] && { referer: some[index] }) })),
    );
}

const filterArb: fc.Arbitrary<Filter> = fc.constantFrom<Filter>(
  { kind: 'equals', field: 'event', value: 'view' },
  { kind: 'in', field: 'item', values: ['a', '10', 'ü'] },
  { kind: 'prefix', field: 'item', value: 'a' },
  { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } },
  { kind: 'exists', field: 'format' },
  { kind: 'or', filters: [{ kind: 'exists', field: 'referer' }] },
);

const dimensionArb: fc.Arbitrary<Dimension> = fc.oneof(
  fc.constantFrom(...fields).map((field): Dimension => ({ kind: 'field', field })),
  fc
    .constantFrom('item', 'format', 'referer')
    .map((field): Dimension => ({ kind: 'field', field, missing: 'none' })),
  fc
    .constantFrom('hour', 'day', 'week', 'month')
    .map((interval): Dimension => ({ kind: 'time', interval })),
);

/** Queries that counts can answer, or could but for one part; of whole days and of any range. */
const countingArb: fc.Arbitrary<Query> = fc.record(
  {
    measures: fc.constantFrom<Query['measures']>(
      { n: count },
      { n: count, m: { ...count, where: { kind: 'equals', field: 'event', value: 'view' } } },
    ),
    dimensions: fc
      .array(dimensionArb, { maxLength: 2 })
      .map((some) => Object.fromEntries(some.map((one, index) => [`d${index}`, one]))),
    filter: filterArb,
    range: fc
      .tuple(fc.constantFrom(DAY_MS, 3_600_000, 900_000, 1_000), fc.nat(1_000), fc.nat(1_000))
      .map(([step, ...ends]) => {
        const [first = 0, last = 0] = ends.toSorted((a, b) => a - b);
        const at = (part: number): number =>
          Math.floor((range.from + (part / 1_000) * 60 * DAY_MS) / step) * step;
        return { from: at(first), to: at(last) };
      }),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Apia'),
    limit: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: ['measures', 'dimensions', 'range'] },
);

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore, Selection } from '../../../src/event-store.ts';
import type { FieldName, StoredEvent } from '../../../src/event.ts';
import type { Dimension, Filter, Measure, Query } from '../../../src/query/query.ts';
import type { Scan } from '../../../src/query/scan.ts';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

const DAY_MS = 86_400_000;
const noRejects = (): Promise<void> => Promise.resolve();
const signal = new AbortController().signal;

let dataDir = '';
let folders = 0;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-excerpts-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** An empty store that is looked after once a day. */
function open(): EventStore {
  let now = Date.UTC(2026, 10, 6, 12);
  return openDuckdbStore({ dataDir: join(dataDir, `${++folders}`), now: () => (now += DAY_MS) });
}

const timeArb = fc.integer({
  min: Date.UTC(2026, 9, 30) / 3_600_000,
  max: Date.UTC(2026, 10, 3) / 3_600_000,
});

const eventArb = fc
  .tuple(
    timeArb,
    fc.constantFrom('a', 'b'),
    fc.record(
      {
        item: fc.constantFrom('trees', 'roads'),
        'user.id': fc.constantFrom('v1', 'v2', 'v3'),
        'session.id': fc.constantFrom('s1', 's2'),
        'error.grouping_key': fc.constantFrom('f1', 'f2'),
        bot: fc.constant(true as const),
        tags: fc.constant(['noise']),
        metrics: fc.constant({ count: 3 }),
      },
      { requiredKeys: [] },
    ),
    fc.constantFrom('view', 'download', 'error', 'other'),
  )
  .map(([hour, app, fields, action]): StoredEvent => ({
    ...eventAt(new Date(hour * 3_600_000).toISOString(), app),
    'event.action': action,
    ...fields,
  }));

const eventsArb = fc.constantFrom<Filter>(
  { kind: 'equals', field: 'event', value: 'error' },
  { kind: 'equals', field: 'event', value: 'view' },
  { kind: 'in', field: 'event', values: ['view', 'download'] },
  { kind: 'in', field: 'event', values: ['view', 'error'] },
  {
    kind: 'and',
    filters: [
      { kind: 'in', field: 'event', values: ['view', 'download'] },
      { kind: 'equals', field: 'app', value: 'b' },
    ],
  },
);

const filterArb = fc
  .tuple(
    eventsArb,
    fc.array(
      fc.constantFrom<Filter>(
        { kind: 'equals', field: 'app', value: 'a' },
        { kind: 'equals', field: 'item', value: 'trees' },
        { kind: 'in', field: 'item', values: ['trees', 'roads', 'trees', 'parks'] },
        { kind: 'exists', field: 'item' },
        { kind: 'exists', field: 'visitor' },
        { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } },
        { kind: 'not', filter: { kind: 'equals', field: 'tags', value: 'noise' } },
      ),
      { maxLength: 3 },
    ),
  )
  .map(([events, others]): Filter => ({ kind: 'and', filters: [events, ...others] }));

/** Of any times, or of whole days. */
const rangeArb = fc
  .tuple(timeArb, timeArb, fc.boolean())
  .filter(([a, b]) => a !== b)
  .map(([a, b, isOfDays]) => {
    const [from, to] = [Math.min(a, b) * 3_600_000, Math.max(a, b) * 3_600_000];
    if (!isOfDays) return { from: from - 1, to: to + 1 };
    return { from: Math.floor(from / DAY_MS) * DAY_MS, to: Math.ceil(to / DAY_MS) * DAY_MS };
  });

const queryArb = fc
  .record({
    measures: fc.array(
      fc.constantFrom<Measure>(
        { kind: 'count' },
        { kind: 'distinct', field: 'visitor' },
        { kind: 'distinct', field: 'item' },
        { kind: 'distinct', field: 'visitor', where: { kind: 'exists', field: 'session' } },
        { kind: 'max', field: 'time' },
        { kind: 'sum', field: 'count' },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    dimensions: fc.array(
      fc.constantFrom<Dimension>(
        { kind: 'time', interval: 'hour' },
        { kind: 'time', interval: 'day' },
        { kind: 'field', field: 'item', missing: 'none' },
        { kind: 'field', field: 'item' },
        { kind: 'field', field: 'fingerprint' },
        { kind: 'field', field: 'visitor' },
      ),
      { maxLength: 2 },
    ),
    filter: filterArb,
    range: rangeArb,
    timeZone: fc.constantFrom('UTC', 'Asia/Kolkata'),
  })
  .map(({ measures, dimensions, ...query }): Query => ({
    ...query,
    measures: Object.fromEntries(measures.map((one, index) => [`m${index}`, one])),
    dimensions: Object.fromEntries(dimensions.map((one, index) => [`d${index}`, one])),
  }));

const scanArb = fc
  .record({
    filter: filterArb,
    having: fc.option(filterArb, { nil: undefined }),
    visitors: fc.integer({ min: 1, max: 3 }),
    range: rangeArb,
    limit: fc.constantFrom(3, 1_000),
    mark: fc.constant<Filter>({ kind: 'equals', field: 'item', value: 'trees' }),
  })
  .map(({ filter, having, visitors, range, limit, mark }): Scan => ({
    fields: ['time', 'visitor', 'item', 'session', 'sequence'] satisfies FieldName[],
    marks: { mark },
    filter,
    range,
    limit,
    ...(having && { visitors: { having, limit: visitors } }),
  }));

type Step = StoredEvent[] | 'maintain' | { readonly erase: Selection } | { readonly keep: string };

const stepArb = fc.oneof(
  { weight: 4, arbitrary: fc.array(eventArb, { minLength: 1, maxLength: 12 }) },
  { weight: 3, arbitrary: fc.constant('maintain' as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      { erase: { visitor: 'v1' } },
      { erase: { item: 'trees', from: Date.UTC(2026, 10, 1) } },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ keep: '2026-10-31' }, { keep: '2026-11-01' }) },
);

async function take(store: EventStore, steps: readonly Step[]): Promise<void> {
  let next = 1;
  for (const step of steps) {
    if (step === 'maintain') await store.maintain(signal);
    else if ('erase' in step) await store.erase(step.erase);
    else if ('keep' in step) await store.expire(step.keep, '2026-10-31');
    else {
      await store.append(batchOf('journal', next, step), noRejects);
      next += step.length;
    }
  }
}

/** The same condition, so that no excerpt is known to have all its events. */
function hidden(filter: Filter): Filter {
  return { kind: 'or', filters: [filter] };
}

function liveQuery(query: Query): Query {
  return { ...query, filter: hidden(query.filter ?? { kind: 'and', filters: [] }) };
}

function liveScan({ filter, visitors, ...scan }: Scan): Scan {
  return {
    ...scan,
    filter: hidden(filter ?? { kind: 'and', filters: [] }),
    ...(visitors && { visitors: { ...visitors, having: hidden(visitors.having) } }),
  };
}

describe('excerpts', () => {
  it('answer as the events themselves do, whatever came late or went', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArb, { minLength: 2, maxLength: 8 }),
        fc.array(queryArb, { minLength: 6, maxLength: 8 }),
        fc.array(scanArb, { minLength: 6, maxLength: 8 }),
        async (steps, queries, scans) => {
          const store = open();
          await take(store, steps);
          for (const query of queries) {
            expect(await store.query(query)).toEqual(await store.query(liveQuery(query)));
          }
          for (const scan of scans) {
            const rows = await Array.fromAsync(store.scan(scan));
            expect(rows).toEqual(await Array.fromAsync(store.scan(liveScan(scan))));
          }
          await store.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  const filter: Filter = {
    kind: 'and',
    filters: [
      { kind: 'equals', field: 'event', value: 'view' },
      { kind: 'equals', field: 'item', value: 'trees' },
    ],
  };
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 4) };

  it('are what is read, with what has come since', async () => {
    const store = open();
    const view = eventAt('2026-11-02T10:00:00.000Z', 'a', { item: 'trees', 'user.id': 'v1' });
    await take(store, [[view], 'maintain']);
    const query: Query = {
      measures: { n: { kind: 'distinct', field: 'visitor' } },
      filter,
      range,
    };
    const scan: Scan = { fields: ['time'], filter, range, limit: 10 };
    for (const question of [query, scan]) {
      const sql = await store.explain(question);
      expect(sql).toContain('rollup_uses');
      expect(sql).not.toContain('FROM events');
    }
    await store.append(batchOf('later', 1, [{ ...view, 'user.id': 'v2' }]), noRejects);
    expect(await store.explain(query)).toMatch(/rollup_uses[^]*FROM events[^]*batch > 1/u);
    expect(await store.query(query)).toEqual([{ n: 2 }]);
    await store.close();
  });

  it('have nothing left of what is erased or has expired', async () => {
    const store = open();
    const file = join(dataDir, `${folders}`, 'metronome.duckdb');
    const views = ['ann-4711', 'bob-4712', 'eve-4713'].map((visitor, day) =>
      eventAt(`2026-11-0${day + 1}T10:00:00.000Z`, 'a', { item: 'trees', 'user.id': visitor }),
    );
    await take(store, [views, 'maintain', { erase: { visitor: 'bob-4712' } }]);
    expect(await store.expire('2026-11-02', '2026-10-01')).toBe(1);
    const read = (name: FieldName, asked: Filter): Promise<unknown[]> =>
      Array.fromAsync(store.scan({ fields: [name], filter: asked, range, limit: 10 }));
    expect(await read('visitor', filter)).toEqual([{ visitor: 'eve-4713' }]);
    expect(await read('visitor', hidden(filter))).toEqual([{ visitor: 'eve-4713' }]);
    await store.close();
    expect((await readFile(file)).includes('bob-4712')).toBe(false);
  });
});

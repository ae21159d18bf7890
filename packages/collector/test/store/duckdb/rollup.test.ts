import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { Dimension, Filter, Query } from '../../../src/query/query.ts';
import {
  type Counted,
  planRollups,
  rollupOf,
  type RollupState,
} from '../../../src/store/duckdb/rollup-plan.ts';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

const DAY_MS = 86_400_000;
const noRejects = (): Promise<void> => Promise.resolve();
const signal = new AbortController().signal;

let dataDir = '';
let folders = 0;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-rollup-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** An empty store that is looked after once a day. */
function openAt(begun: number): EventStore {
  let now = begun;
  return openDuckdbStore({ dataDir: join(dataDir, `${++folders}`), now: () => (now += DAY_MS) });
}

/** Around the ends of summer time: in New York on 1 November, on Lord Howe on 4 October. */
const timeArb = fc.oneof(
  fc.integer({ min: Date.UTC(2026, 9, 2), max: Date.UTC(2026, 9, 6) }),
  fc.integer({ min: Date.UTC(2026, 9, 30), max: Date.UTC(2026, 10, 4) }),
);

const eventArb = fc
  .record({
    time: timeArb,
    app: fc.constantFrom('a', 'b'),
    item: fc.option(fc.constantFrom('trees', 'roads'), { nil: undefined }),
    action: fc.constantFrom('view', 'download'),
    bot: fc.boolean(),
    format: fc.option(fc.constantFrom('csv', 'kml'), { nil: undefined }),
    referer: fc.option(fc.constantFrom('x.org', '\u{FEFF}y.org/a'), { nil: undefined }),
  })
  .map(({ time, app, item, action, bot, format, referer }): StoredEvent => ({
    ...eventAt(new Date(time).toISOString(), app),
    'event.action': action,
    ...(item !== undefined && { item }),
    ...(bot && { bot }),
    ...(format !== undefined && { 'file.extension': format }),
    ...(referer !== undefined && { referer }),
  }));

const someArb: fc.Arbitrary<Filter> = fc.constantFrom<Filter>(
  { kind: 'equals', field: 'app', value: 'a' },
  { kind: 'equals', field: 'item', value: 'trees' },
  { kind: 'in', field: 'item', values: ['trees', 'roads'] },
  { kind: 'prefix', field: 'item', value: 'r' },
  { kind: 'not', filter: { kind: 'exists', field: 'item' } },
  { kind: 'equals', field: 'event', value: 'view' },
  { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } },
  {
    kind: 'or',
    filters: [
      { kind: 'equals', field: 'app', value: 'b' },
      { kind: 'equals', field: 'item', value: 'roads' },
    ],
  },
);

const dimensionArb = fc.oneof(
  fc
    .constantFrom('hour', 'day', 'week', 'month')
    .map((interval): Dimension => ({ kind: 'time', interval: interval as 'hour' })),
  fc.constantFrom<Dimension>(
    { kind: 'field', field: 'format', missing: 'other' },
    { kind: 'field', field: 'referer' },
    { kind: 'field', field: 'item' },
    { kind: 'field', field: 'event' },
    { kind: 'field', field: 'bot', missing: 'no' },
  ),
);

/** The last two are Thursdays, with which weeks since 1970 begin. */
const hourOrAnyArb = timeArb.chain((time) =>
  fc.constantFrom(
    time,
    time - (time % 3_600_000),
    time - (time % DAY_MS),
    Date.UTC(2026, 9, 1),
    Date.UTC(2026, 10, 5),
  ),
);

const queryArb = fc
  .record({
    filters: fc.array(someArb, { maxLength: 3 }),
    dimensions: fc.array(dimensionArb, { maxLength: 2 }),
    ends: fc.tuple(hourOrAnyArb, hourOrAnyArb).filter(([a, b]) => a !== b),
    timeZone: fc.constantFrom('UTC', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/New_York'),
  })
  .map(({ filters, dimensions, ends, timeZone }): Query => ({
    measures: { n: { kind: 'count' } },
    dimensions: Object.fromEntries(dimensions.map((one, index) => [`d${index}`, one])),
    filter: { kind: 'and', filters },
    range: { from: Math.min(...ends), to: Math.max(...ends) },
    timeZone,
  }));

/** What is asked about one item at once. */
const togetherArb = queryArb.chain((query) =>
  fc
    .array(fc.tuple(dimensionArb, fc.array(someArb, { maxLength: 2 })), {
      minLength: 2,
      maxLength: 4,
    })
    .map((parts) =>
      parts.map(([dimension, filters], index): Query => ({
        ...query,
        dimensions: { [`of${index}`]: dimension },
        filter: {
          kind: 'and',
          filters: [{ kind: 'equals', field: 'item', value: 'trees' }, ...filters],
        },
        limit: index + 1,
      })),
    ),
);

const stepArb = fc.oneof(
  { weight: 4, arbitrary: fc.array(eventArb, { minLength: 1, maxLength: 12 }) },
  { weight: 3, arbitrary: fc.constant('maintain' as const) },
  { weight: 1, arbitrary: fc.constant('rebuild' as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      item: fc.constantFrom('trees', 'roads'),
      from: timeArb,
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom('2026-10-03', '2026-10-31', '2026-11-01') },
);

/** The same question, with a condition that always holds and that rollups know nothing of. */
function live(query: Query): Query {
  const always: Filter = { kind: 'not', filter: { kind: 'exists', field: 'never' } };
  return { ...query, filter: { kind: 'and', filters: [query.filter ?? always, always] } };
}

async function take(
  store: EventStore,
  steps: readonly (StoredEvent[] | string | { item: string; from: number })[],
): Promise<void> {
  let next = 1;
  for (const step of steps) {
    if (step === 'maintain') await store.maintain(signal);
    else if (step === 'rebuild') await store.rebuildRollup('tock');
    else if (typeof step === 'string') await store.expire(step);
    else if (Array.isArray(step)) {
      await store.append(batchOf('journal', next, step), noRejects);
      next += step.length;
    } else await store.erase(step);
  }
}

describe('rollups', () => {
  it('answer as the events themselves do, whatever came late or went', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArb, { minLength: 2, maxLength: 8 }),
        fc
          .tuple(fc.array(queryArb, { minLength: 8, maxLength: 10 }), togetherArb)
          .map(([alone, together]) => [...alone, ...together]),
        fc.constantFrom(Date.UTC(2026, 10, 2), Date.UTC(2026, 10, 6, 12)),
        async (steps, queries, now) => {
          const store = openAt(now);
          await take(store, steps);
          // Asked together, some share a statement.
          const answers = await Promise.all(queries.map((query) => store.query(query)));
          for (const [index, query] of queries.entries()) {
            expect(answers[index]).toEqual(await store.query(live(query)));
          }
          await store.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  it('are what is answered from, but for what has come and gone since', async () => {
    const store = openAt(Date.UTC(2026, 10, 6, 12));
    const folder = join(dataDir, `${folders}`);
    const view = (date: number, item: string): StoredEvent =>
      eventAt(`2026-11-0${date}T10:00:00.000Z`, 'app', { item, 'user.id': `${item} ${date}` });
    const views = [1, 2, 6].flatMap((date) => [view(date, 'trees'), view(date, 'roads')]);
    await take(store, [views, 'maintain']);
    await store.append(batchOf('later', 1, [view(2, 'trees')]), noRejects);
    await store.close();
    await tamper(folder, 'UPDATE rollup_item_days SET events = events + 100');

    const again = openDuckdbStore({ dataDir: folder, now: () => 0 });
    const byDay = async (item: string): Promise<readonly unknown[]> => {
      const rows = await again.query({
        measures: { n: { kind: 'count' } },
        dimensions: { time: { kind: 'time', interval: 'day' } },
        filter: { kind: 'equals', field: 'item', value: item },
        range: { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 7) },
        order: [{ by: 'time', direction: 'ascending' }],
      });
      return rows.map(({ n }) => n);
    };
    expect(await byDay('roads')).toEqual([101, 101, 101]);
    expect(await byDay('trees')).toEqual([101, 102, 101]);
    await again.erase({ visitor: 'trees 1' });
    expect(await byDay('trees')).toEqual([102, 101]);
    await again.erase({ visitor: 'trees 2' });
    expect(await byDay('trees')).toEqual([101]);
    expect(await byDay('roads')).toEqual([101, 101, 101]);
    await again.close();
  });

  it('answer what is asked of an item at once over whole weeks', async () => {
    const store = openAt(Date.UTC(2026, 10, 6, 12));
    const views = ['2026-10-02', '2026-10-30'].map((day) =>
      eventAt(`${day}T10:00:00.000Z`, 'app', { item: 'trees', referer: 'example.org' }),
    );
    await take(store, [views, 'maintain']);
    const by = (field: string): Promise<readonly unknown[]> =>
      store.query({
        measures: { n: { kind: 'count' } },
        dimensions: { by: { kind: 'field', field } },
        filter: { kind: 'and', filters: [{ kind: 'equals', field: 'item', value: 'trees' }] },
        range: { from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 10, 1) },
      });
    const answers = await Promise.all([by('app'), by('item')]);
    expect(answers).toEqual([[{ by: 'app', n: 2 }], [{ by: 'trees', n: 2 }]]);
    await store.close();
  });

  it('are made anew wherever they are missing', async () => {
    const store = openAt(Date.UTC(2026, 10, 6, 12));
    const folder = join(dataDir, `${folders}`);
    const views = [1, 2].map((date) => eventAt(`2026-11-0${date}T10:00:00.000Z`, 'app'));
    await take(store, [views, 'maintain']);
    await store.close();
    const tables = 'site_quarters site_days item_days item_details item_quarters item_weeks'.split(
      ' ',
    );
    const drops = tables.map((name) => `DROP TABLE rollup_${name};`);
    // As a version left it that kept them in another way.
    const old =
      'CREATE TABLE item_days_2026_11 (slot INTEGER); CREATE TABLE rollup_state (a INTEGER)';
    await tamper(folder, `${drops.join('')} DELETE FROM rollups; ${old}`);
    const rebuilt = openDuckdbStore({ dataDir: folder });
    await rebuilt.maintain(signal);
    const range = { from: 0, to: Date.UTC(2100, 0, 1) };
    expect(await rebuilt.query({ measures: { n: { kind: 'count' } }, range })).toEqual([{ n: 2 }]);
    await rebuilt.close();
    const counts = await tamper(folder, 'SELECT sum(events) FROM rollup_site_quarters');
    expect(Number(counts[0]?.[0])).toBe(2);
    const left = await tamper(
      folder,
      "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('item_days_2026_11', 'rollup_state')",
    );
    expect(left).toEqual([]);
  });

  it('are made anew when an operator says so, whatever they hold', async () => {
    const store = openAt(Date.UTC(2026, 10, 6, 12));
    const folder = join(dataDir, `${folders}`);
    const views = [1, 2].map((date) => eventAt(`2026-11-0${date}T10:00:00.000Z`, 'app'));
    await take(store, [views, 'maintain']);
    await store.close();
    await tamper(folder, 'UPDATE rollup_site_quarters SET events = events + 100');
    const query: Query = {
      measures: { n: { kind: 'count' } },
      range: { from: 0, to: Date.UTC(2100, 0, 1) },
    };
    // Beside questions and the work that is under way.
    const again = openDuckdbStore({ dataDir: folder });
    expect(await again.query(query)).toEqual([{ n: 202 }]);
    const [, ...answers] = await Promise.all([
      again.maintain(signal),
      again.rebuildRollup('tock').then(() => again.query(query)),
      again.maintain(signal).then(() => again.rebuildRollup('tock')),
    ]);
    expect(answers[0]).toEqual([{ n: 2 }]);
    await again.maintain(signal);
    expect(await again.query(query)).toEqual([{ n: 2 }]);
    expect(await again.explain(query)).not.toContain('FROM events');
    await again.close();
  });

  it('of many days of a month are brought into one order', async () => {
    const store = openAt(Date.UTC(2026, 10, 30));
    const folder = join(dataDir, `${folders}`);
    await store.close();
    let expected = 0;
    for (let date = 1; date <= 12; date++) {
      const today = Date.UTC(2026, 10, date + 1);
      const daily = openDuckdbStore({ dataDir: folder, now: () => today });
      const events = ['trees', 'roads'].map((item) =>
        eventAt(new Date(today - 1).toISOString(), 'app', { item }),
      );
      expected += events.length;
      await daily.append(batchOf('journal', expected - 1, events), noRejects);
      await daily.maintain(signal);
      await daily.close();
    }
    const [row] = await tamper(
      folder,
      "SELECT max(runs), sum(size) FROM rollup_periods WHERE rollup = 'counts'",
    );
    expect(Number(row?.[0])).toBeLessThanOrEqual(6);
    expect(Number(row?.[1])).toBe(expected);
    const [sums] = await tamper(
      folder,
      `SELECT (SELECT sum(events) FROM rollup_item_days), (SELECT sum(events) FROM rollup_item_details),
         (SELECT sum(events) FROM rollup_site_days), (SELECT count(DISTINCT run) FROM rollup_item_days)`,
    );
    expect(sums?.slice(0, 3).map(Number)).toEqual([expected, expected, expected]);
    expect(Number(sums?.[3])).toBeLessThanOrEqual(6);
  });

  it('stop at a signal and go on at the next call', async () => {
    const store = openAt(Date.UTC(2026, 10, 30));
    const folder = join(dataDir, `${folders}`);
    await take(store, [[eventAt('2026-11-02T10:00:00.000Z', 'app', { item: 'trees' })]]);
    await store.maintain(AbortSignal.abort());
    await store.close();
    const counted = async (): Promise<number> => {
      const rows = await tamper(folder, 'SELECT batch FROM rollups');
      return Number(rows[0]?.[0]);
    };
    expect(await counted()).toBe(0);
    const again = openDuckdbStore({ dataDir: folder });
    await again.maintain(AbortSignal.abort());
    await again.maintain(signal);
    await again.close();
    expect(await counted()).toBe(1);
  });

  it('are in what is explained, with what has come since', async () => {
    const store = openAt(Date.UTC(2026, 10, 30));
    const view = eventAt('2026-11-02T10:00:00.000Z', 'app', { item: 'trees' });
    const query: Query = {
      measures: { n: { kind: 'count' } },
      dimensions: { event: { kind: 'field', field: 'event' } },
      filter: { kind: 'equals', field: 'item', value: 'trees' },
      range: { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) },
    };
    await take(store, [[view], 'maintain']);
    const counted = await store.explain(query);
    expect(counted).toContain('FROM rollup_item_days');
    expect(counted).toContain(`"item" = 'trees'`);
    expect(counted).not.toContain('FROM events');
    const bots: Query = { ...query, dimensions: { bot: { kind: 'field', field: 'bot' } } };
    expect(await Promise.all([query, bots].map((one) => store.explain(one)))).toEqual([
      expect.stringMatching(/^-- One statement for 2 questions\.\nSELECT /u),
      '-- Answered by the statement of the question before.',
    ]);
    await store.append(batchOf('later', 1, [view]), noRejects);
    expect(await store.explain(query)).toMatch(/FROM rollup_item_days[^]+FROM events/u);
    await store.close();
  });

  it('are kept up beside a writer and readers', async () => {
    let now = Date.UTC(2026, 10, 30);
    const store = openDuckdbStore({ dataDir, now: () => (now += DAY_MS) });
    const range = { from: 0, to: Date.UTC(2100, 0, 1) };
    const maintaining = new AbortController();
    const maintained = (async () => {
      while (!maintaining.signal.aborted) await store.maintain(maintaining.signal);
    })();
    for (let n = 1; n <= 40; n++) {
      const time = new Date(Date.UTC(2026, 9, (n % 31) + 1, 12)).toISOString();
      await store.append(batchOf('j', n, [eventAt(time, 'a', { item: `${n % 3}` })]), noRejects);
      if (n % 4 === 0) await store.rebuildRollup('tock');
      const [row] = await store.query({ measures: { n: { kind: 'count' } }, range });
      expect(row).toEqual({ n });
      const byItem = { measures: { n: { kind: 'count' } }, range } as const;
      const filter = { kind: 'equals', field: 'item', value: '0' } as const;
      expect(await store.query({ ...byItem, filter })).toEqual([{ n: Math.floor(n / 3) }]);
    }
    maintaining.abort();
    await maintained;
    await store.close();
  });

  it('are kept up beside erasures', async () => {
    let now = Date.UTC(2026, 10, 30);
    const store = openDuckdbStore({
      dataDir: join(dataDir, 'erasures'),
      now: () => (now += DAY_MS),
    });
    const range = { from: 0, to: Date.UTC(2100, 0, 1) };
    const views = Array.from({ length: 12 }, (_, n) =>
      eventAt('2026-11-02T10:00:00.000Z', 'a', { item: 'trees', 'user.id': `${n}` }),
    );
    for (const [n, view] of views.entries()) {
      await store.append(batchOf('j', n + 1, [view]), noRejects);
      const [, erased] = await Promise.all([
        store.maintain(signal),
        n === 0 ? 0 : store.erase({ visitor: `${n - 1}` }),
      ]);
      expect(erased).toBe(n === 0 ? 0 : 1);
      expect(await store.query({ measures: { n: { kind: 'count' } }, range })).toEqual([{ n: 1 }]);
    }
    await store.close();
  });
});

async function tamper(folder: string, sql: string): Promise<DuckDBValue[][]> {
  const instance = await DuckDBInstance.create(join(folder, 'metronome.duckdb'));
  const connection = await instance.connect();
  const rows = await (await connection.run(sql)).getRows();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

describe('a plan', () => {
  const day = (date: number): number => Date.UTC(2026, 10, date);
  const hour = (date: number, hours: number): number => Date.UTC(2026, 10, date, hours);
  const stateOf = (counted: Partial<Counted>): RollupState => ({
    rollups: new Map([['counts', { upTo: 7, since: 0, again: Infinity, ...counted }]]),
    last: 7,
    outlived: 0,
    dirty: [],
  });
  const state = stateOf({});
  const counted = { measures: { n: { kind: 'count' } } } as const;
  const ofItem: Filter = { kind: 'equals', field: 'item', value: 'trees' };

  it('takes whole days, and what is left at the ends from the events', () => {
    const range = { from: Date.UTC(2026, 9, 30, 5), to: hour(4, 5) };
    expect(planRollups({ ...counted, range, filter: ofItem }, state)).toEqual({
      kind: 'counts',
      name: 'item_days',
      upTo: 7,
      behind: [],
      tables: [{ name: 'item_days', from: Date.UTC(2026, 9, 31), to: day(4) }],
      counted: [{ from: Date.UTC(2026, 9, 31), to: day(4) }],
      live: [
        { from: range.from, to: Date.UTC(2026, 9, 31) },
        { from: day(4), to: range.to },
      ],
    });
  });

  it('takes whole weeks where it looks through all items', () => {
    const week = (n: number): number => n * 7 * DAY_MS;
    const range = { from: week(2900) - DAY_MS, to: week(2904) + 3 * DAY_MS };
    const byItem: Query = {
      ...counted,
      dimensions: { item: { kind: 'field', field: 'item' } },
      range,
    };
    expect(planRollups(byItem, state)).toMatchObject({
      tables: [
        { name: 'item_days', from: range.from, to: week(2900) },
        { name: 'item_weeks', from: week(2900), to: week(2904) },
        { name: 'item_days', from: week(2904), to: range.to },
      ],
    });
    const tablesOf = (query: Query): unknown[] => {
      const plan = planRollups(query, state);
      return plan?.kind === 'counts' ? plan.tables.map(({ name }) => name) : [];
    };
    expect(tablesOf({ ...byItem, filter: ofItem })).toEqual(['item_days']);
    const byDay = { day: { kind: 'time', interval: 'day' }, ...byItem.dimensions } as const;
    expect(tablesOf({ ...byItem, dimensions: byDay })).toEqual(['item_days']);
    expect(tablesOf({ ...byItem, range: { from: week(2900), to: week(2901) } })).toEqual([
      'item_weeks',
    ]);
  });

  it('takes quarter hours for the days of another zone', () => {
    const range = { from: hour(1, 5), to: hour(4, 5) };
    const dimensions = { time: { kind: 'time', interval: 'day' } } as const;
    const query = { ...counted, dimensions, range, timeZone: 'Asia/Kolkata', filter: ofItem };
    expect(planRollups(query, state)).toMatchObject({
      name: 'item_quarters',
      counted: [range],
      live: [],
    });
  });

  it('is none where nothing is counted', () => {
    const range = { from: day(1), to: day(9) };
    expect(planRollups({ ...counted, range }, stateOf({ upTo: 0 }))).toBeUndefined();
    const short = { from: day(1) + 1, to: day(1) + 2 };
    expect(planRollups({ ...counted, range: short }, state)).toBeUndefined();
    expect(planRollups({ ...counted, range }, stateOf({ since: day(9) }))).toBeUndefined();
  });

  it('looks at what has come since, unless nothing can have', () => {
    const query = { ...counted, range: { from: day(1), to: day(9) } };
    expect(planRollups(query, { ...state, last: 8 })?.behind).toEqual([query.range]);
    expect(planRollups(query, { ...state, last: undefined })?.behind).toEqual([query.range]);
    expect(planRollups(query, state)?.behind).toEqual([]);
  });

  it('reads no day as a whole whose events are dropped, however many others it does', () => {
    const query = { ...counted, range: { from: day(1) - 1, to: day(9) + 400 * DAY_MS } };
    const dirty = Array.from({ length: 12 }, (_, n) => ({
      app: 'app',
      day: day(5 + 30 * n),
      items: new Set(['trees']),
    }));
    const plan = planRollups(query, { ...stateOf({ since: day(1) }), outlived: day(4), dirty });
    expect(plan?.counted[0]).toEqual({ from: day(1), to: day(5) });
  });

  it('reads what is there of days that are counted as they are dropped', () => {
    const query = { ...counted, range: { from: day(1), to: day(9) } };
    expect(planRollups(query, { ...state, last: 8, outlived: day(4) })).toMatchObject({
      counted: [query.range],
      behind: [{ from: day(4), to: day(9) }],
      live: [{ from: day(1), to: day(4) }],
    });
  });

  it('reads live what is being counted anew', () => {
    const query = { ...counted, range: { from: day(1), to: day(9) } };
    const dirty = [day(2), day(6)].map((date) => ({
      app: 'app',
      day: date,
      items: new Set(['trees']),
    }));
    expect(planRollups(query, { ...stateOf({ again: day(5) }), dirty })).toMatchObject({
      counted: [
        { from: day(1), to: day(2) },
        { from: day(3), to: day(5) },
      ],
      live: [
        { from: day(2), to: day(3) },
        { from: day(5), to: day(9) },
      ],
    });
    expect(planRollups(query, stateOf({ again: day(1) }))).toBeUndefined();
  });

  it('reads live what is dirty in its own scope', () => {
    const range = { from: day(1), to: day(9) };
    const dirty = [
      { app: 'app', day: day(3), items: new Set(['trees', null]) },
      { app: 'app', day: day(5), items: new Set(['roads']) },
      { app: 'other', day: day(7) },
    ];
    const liveOf = (filter?: Filter): unknown =>
      planRollups({ ...counted, range, ...(filter && { filter }) }, { ...state, dirty })?.live;
    expect(liveOf(ofItem)).toEqual([
      { from: day(3), to: day(4) },
      { from: day(7), to: day(8) },
    ]);
    expect(liveOf({ kind: 'equals', field: 'app', value: 'other' })).toEqual([
      { from: day(7), to: day(8) },
    ]);
    expect(liveOf()).toHaveLength(3);
  });

  it('has few stretches, whatever is dirty', () => {
    const dirty = Array.from({ length: 100 }, (_, n) => ({
      app: 'app',
      day: day(1) + 2 * n * DAY_MS,
      items: new Set(['trees']),
    }));
    const range = { from: day(1), to: day(1) + 201 * DAY_MS };
    const plan = planRollups({ ...counted, range }, { ...state, dirty });
    expect(plan?.live.length).toBeLessThanOrEqual(8);
    expect(plan?.counted.length).toBeGreaterThan(0);
  });

  const range = { from: day(1), to: day(2) };
  const timed = (timeZone: string, interval: 'minute' | 'hour' | 'day' = 'hour'): Query => ({
    ...counted,
    range,
    timeZone,
    dimensions: { time: { kind: 'time', interval } },
  });
  const referersBy = (interval: 'hour' | 'day'): Query => ({
    ...timed('UTC'),
    dimensions: {
      time: { kind: 'time', interval },
      referer: { kind: 'field', field: 'referer' },
    },
  });
  it.each<[string, Query, string | undefined]>([
    ['a count', { ...counted, range }, 'site_quarters'],
    ['a count of an item', { ...counted, range, filter: ofItem }, 'item_days'],
    ['days of an item', { ...timed('UTC', 'day'), filter: ofItem }, 'item_days'],
    ['days elsewhere', { ...timed('Asia/Kolkata', 'day'), filter: ofItem }, 'item_quarters'],
    ['hours of half an hour ahead', timed('Asia/Kolkata'), 'site_quarters'],
    ['minutes', timed('UTC', 'minute'), undefined],
    ['a zone of odd minutes', timed('+05:37'), undefined],
    ['referers by day', referersBy('day'), 'site_days'],
    ['referers by hour', referersBy('hour'), undefined],
    [
      'another field',
      { ...counted, range, filter: { kind: 'exists', field: 'visitor' } },
      undefined,
    ],
    ['another measure', { measures: { n: { kind: 'distinct', field: 'item' } }, range }, undefined],
    [
      'a count of some',
      { measures: { n: { kind: 'count', where: { kind: 'exists', field: 'item' } } }, range },
      'item_days',
    ],
  ])('for %s', (_, query, name) => {
    expect(rollupOf(query)).toBe(name);
  });
});

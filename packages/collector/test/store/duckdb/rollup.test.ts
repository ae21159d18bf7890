import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { Dimension, Filter, Query, Row } from '../../../src/query/query.ts';
import { grainOf, planRollups } from '../../../src/store/duckdb/rollup-plan.ts';
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

/** An empty store whose clock stands still. */
function openAt(now: number): EventStore {
  return openDuckdbStore({ dataDir: join(dataDir, `${++folders}`), now: () => now });
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

const hourOrAnyArb = timeArb.chain((time) =>
  fc.constantFrom(time, time - (time % 3_600_000), time - (time % DAY_MS)),
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

const stepArb = fc.oneof(
  { weight: 4, arbitrary: fc.array(eventArb, { minLength: 1, maxLength: 12 }) },
  { weight: 3, arbitrary: fc.constant('maintain' as const) },
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
        fc.array(queryArb, { minLength: 10, maxLength: 12 }),
        fc.constantFrom(Date.UTC(2026, 10, 2), Date.UTC(2026, 10, 6, 12)),
        async (steps, queries, now) => {
          const store = openAt(now);
          await take(store, steps);
          for (const query of queries) {
            expect(await store.query(query)).toEqual(await store.query(live(query)));
          }
          await store.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('are what closed days are answered from, and not today nor what has changed since', async () => {
    const store = openAt(Date.UTC(2026, 10, 6, 12));
    const view = (date: number, item: string): StoredEvent =>
      eventAt(`2026-11-0${date}T10:00:00.000Z`, 'app', { item });
    const views = [1, 2, 6].flatMap((date) => [view(date, 'trees'), view(date, 'roads')]);
    await take(store, [views, 'maintain']);
    await store.append(batchOf('later', 1, [view(2, 'trees')]), noRejects);
    await store.close();
    await tamper(join(dataDir, `${folders}`), 'UPDATE rollups SET events = events + 100');

    const again = openDuckdbStore({ dataDir: join(dataDir, `${folders}`), now: () => 0 });
    const byDay = (item: string): Promise<readonly Row[]> =>
      again.query({
        measures: { n: { kind: 'count' } },
        dimensions: { time: { kind: 'time', interval: 'day' } },
        filter: { kind: 'equals', field: 'item', value: item },
        range: { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 7) },
        order: [{ by: 'time', direction: 'ascending' }],
      });
    expect((await byDay('roads')).map(({ n }) => n)).toEqual([101, 101, 1]);
    expect((await byDay('trees')).map(({ n }) => n)).toEqual([101, 2, 1]);
    await again.maintain(signal);
    expect((await byDay('trees')).map(({ n }) => n)).toEqual([101, 2, 1]);
    expect((await byDay('roads')).map(({ n }) => n)).toEqual([101, 101, 1]);
    await again.close();

    await tamper(
      join(dataDir, `${folders}`),
      'DELETE FROM rolled; DELETE FROM rollups; DELETE FROM dirty',
    );
    const rebuilt = openDuckdbStore({
      dataDir: join(dataDir, `${folders}`),
      now: () => Date.UTC(2026, 10, 7),
    });
    await rebuilt.maintain(signal);
    const [row] = await rebuilt.query({
      measures: { n: { kind: 'count' } },
      range: { from: 0, to: Date.UTC(2100, 0, 1) },
    });
    expect(row).toEqual({ n: 7 });
    await rebuilt.close();
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
    const runs = await tamper(folder, 'SELECT count(DISTINCT run), count(*) FROM rolled');
    expect(Number(runs[0]?.[0])).toBeLessThanOrEqual(6);
    expect(Number(runs[0]?.[1])).toBe(12);
    const counts = await tamper(
      folder,
      'SELECT grain, sum(events) FROM rollups GROUP BY 1 ORDER BY 1',
    );
    expect(counts.map((row) => row.map(String))).toEqual([
      ['day', `${expected}`],
      ['quarter', `${expected}`],
    ]);
  });

  it('stop at a signal and go on at the next call', async () => {
    const store = openAt(Date.UTC(2026, 10, 30));
    await take(store, [[eventAt('2026-11-02T10:00:00.000Z', 'app', { item: 'trees' })]]);
    await store.maintain(AbortSignal.abort());
    const rolled = async (): Promise<unknown> => {
      const copy = await tamper(join(dataDir, `${folders}`), 'SELECT count(*) FROM rolled');
      return Number(copy[0]?.[0]);
    };
    await store.close();
    expect(await rolled()).toBe(0);
    const again = openDuckdbStore({ dataDir: join(dataDir, `${folders}`) });
    await again.maintain(AbortSignal.abort());
    await again.maintain(signal);
    await again.close();
    expect(await rolled()).toBe(1);
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

  it('takes whole days for a statistic without time, and quarter hours for one with it', () => {
    const range = { from: hour(1, 5), to: hour(4, 5) };
    const days = [day(1), day(2), day(3), day(4)];
    expect(planRollups('day', range, days)).toEqual({
      grain: 'day',
      rolled: [{ from: day(2), to: day(4) }],
      live: [
        { from: hour(1, 5), to: day(2) },
        { from: day(4), to: hour(4, 5) },
      ],
    });
    expect(planRollups('quarter', range, days)).toEqual({
      grain: 'quarter',
      rolled: [range],
      live: [],
    });
    const odd = { from: hour(1, 5) + 1, to: hour(1, 6) };
    expect(planRollups('quarter', odd, days)).toEqual({
      grain: 'quarter',
      rolled: [{ from: hour(1, 5) + 900_000, to: hour(1, 6) }],
      live: [{ from: odd.from, to: hour(1, 5) + 900_000 }],
    });
  });

  it('is none where no day is rolled up', () => {
    expect(planRollups('day', { from: day(1), to: day(9) }, [])).toBeUndefined();
    expect(planRollups('day', { from: hour(1, 1), to: hour(1, 9) }, [day(1)])).toBeUndefined();
  });

  it('has few stretches, whatever is dirty', () => {
    const days = Array.from({ length: 100 }, (_, n) => day(1) + 2 * n * DAY_MS);
    const plan = planRollups('day', { from: day(1), to: day(1) + 200 * DAY_MS }, days);
    expect(plan?.live.length).toBeLessThanOrEqual(8);
    expect(plan?.rolled.length).toBeGreaterThan(0);
  });

  const counted = { measures: { n: { kind: 'count' } } } as const;
  const range = { from: day(1), to: day(2) };
  const timed = (timeZone: string, interval: 'minute' | 'hour' = 'hour'): Query => ({
    ...counted,
    range,
    timeZone,
    dimensions: { time: { kind: 'time', interval } },
  });
  it.each<[string, Query, string | undefined]>([
    ['a count', { ...counted, range }, 'day'],
    ['hours of half an hour ahead', timed('Asia/Kolkata'), 'quarter'],
    ['minutes', timed('UTC', 'minute'), undefined],
    ['a zone of odd minutes', timed('+05:37'), undefined],
    [
      'another field',
      { ...counted, range, filter: { kind: 'exists', field: 'visitor' } },
      undefined,
    ],
    ['another measure', { measures: { n: { kind: 'distinct', field: 'item' } }, range }, undefined],
    [
      'a count of some',
      { measures: { n: { kind: 'count', where: { kind: 'exists', field: 'item' } } }, range },
      undefined,
    ],
    [
      'referers by hour',
      {
        ...timed('UTC'),
        dimensions: {
          time: { kind: 'time', interval: 'hour' },
          referer: { kind: 'field', field: 'referer' },
        },
      },
      undefined,
    ],
  ])('for %s', (_, query, grain) => {
    expect(grainOf(query)).toBe(grain);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { eventAt } from '../journal-lines.ts';
import { queryCases } from '../../query/cases/all-cases.ts';
import { catalogue } from '../../query/cases/catalogue.ts';
import { evaluate } from '../../query/evaluate.ts';
import { QUERY_LIMITS, type Query } from '../../../src/query/query.ts';
import { always, ofApp, type OpenStore } from './with-store.ts';
import { closeTo } from './close-to.ts';

const count = { kind: 'count' } as const;

/** The cases, what each refuses, and the exactness that the query model states. */
export function queryTests(open: OpenStore): void {
  beforeAll(async () => {
    await open.takeEvents(catalogue);
  });

  it.each(queryCases)('answers $name', async ({ query, rows }) => {
    const apps = { kind: 'in', field: 'app', values: ['catalogue', 'intranet'] } as const;
    const filter = query.filter ? ({ kind: 'and', filters: [apps, query.filter] } as const) : apps;
    const answer = await open.query({ ...query, filter });
    expect(answer).toEqual(rows.map(closeTo));
  });

  it.each(queryCases)('explains $name', async ({ query }) => {
    expect(await open.store.explain(query)).toMatch(/\S/);
  });

  const refused: readonly [string, Partial<Query>, RegExp][] = [
    ['a sum of text', { measures: { n: { kind: 'sum', field: 'item' } } }, /item/],
    ['an average of times', { measures: { n: { kind: 'average', field: 'time' } } }, /time/],
    [
      'a percentile over 100',
      { measures: { n: { kind: 'percentile', field: 'value', at: 101 } } },
      /100/,
    ],
    ['no measure', { measures: {} }, /measure/],
    ['groups by instants', { dimensions: { t: { kind: 'field', field: 'time' } } }, /time/],
    ['a prefix of a number', { filter: { kind: 'prefix', field: 'status', value: '4' } }, /status/],
    [
      'a number that is text',
      { filter: { kind: 'equals', field: 'status', value: '404' } },
      /status/,
    ],
    ['a range of text', { filter: { kind: 'range', field: 'item', gte: 1 } }, /item/],
    ['a range without ends', { filter: { kind: 'range', field: 'value' } }, /value/],
    [
      'a bad filter of a measure',
      { measures: { n: { ...count, where: { kind: 'range', field: 'item', gte: 1 } } } },
      /item/,
    ],
    ['an unknown zone', { timeZone: 'Mars/Olympus' }, /Mars\/Olympus/],
    ['a limit of 0', { limit: 0 }, /limit/],
    ['a limit over the most', { limit: QUERY_LIMITS.rowsMax + 1 }, /limit/],
    ['an order by nothing known', { order: [{ by: 'm', direction: 'ascending' }] }, /m/],
    ['others of nothing', { others: 'others', limit: 1 }, /one dimension, which is a field/],
    [
      'others of numbers',
      {
        dimensions: { status: { kind: 'field', field: 'status' } },
        others: 'others',
        limit: 1,
      },
      /`status` is a number: name the others works on keyword or boolean/,
    ],
    [
      'others without a limit',
      { dimensions: { item: { kind: 'field', field: 'item' } }, others: 'others' },
      /beyond a limit: give one/,
    ],
    [
      'others beside many rows',
      {
        dimensions: { item: { kind: 'field', field: 'item' } },
        others: 'others',
        limit: QUERY_LIMITS.rowsBesideOthersMax + 1,
      },
      /limit is at most 10000 beside `others`/,
    ],
    ['a range that runs backwards', { range: { from: 2, to: 1 } }, /range/],
    ['a name that is no name', { measures: { 'n"; DROP': count } }, /DROP/],
  ];
  it.each(refused)('refuses %s', async (_, part, message) => {
    const query = { measures: { n: count }, range: always, ...part };
    const error = await open.store.query(query).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'MetronomeError', code: 'bad-request' });
    expect(String(error)).toMatch(message);
    await expect(open.store.explain(query)).rejects.toThrow(message);
  });

  it.each(['2026-04-04T15:00:00Z', '2026-10-03T15:30:00Z'])(
    'begins hours as the clocks do in a zone that shifts by half of one at %s',
    async (shift) => {
      const app = open.newName();
      const times = Array.from({ length: 60 }, (_, n) => Date.parse(shift) + (n - 30) * 300_000);
      const events = times.map((time) => eventAt(new Date(time).toISOString(), app));
      await open.takeEvents(events);
      const atRest = events.map((event) => ({ ...event }));
      for (const state of ['live', 'counted']) {
        for (const from of times.slice(0, -1)) {
          const query: Query = {
            measures: { n: count },
            dimensions: { hour: { kind: 'time', interval: 'hour' } },
            filter: ofApp(app),
            range: { from, to: times.at(-1) ?? 0 },
            timeZone: 'Australia/Lord_Howe',
          };
          expect(await open.store.query(query), state).toEqual(evaluate(query, atRest));
        }
        await open.store.maintain(new AbortController().signal);
      }
    },
  );

  describe('over many events', () => {
    const visitors = 12_000;
    /** A square of its rank: near in rank is far in value. */
    const durationOf = (index: number): number => ((index * 7919) % visitors) ** 2;
    let app = '';
    beforeAll(async () => {
      app = open.newName();
      const events = Array.from({ length: visitors }, (_, index) =>
        eventAt(new Date(Date.UTC(2026, 10, 1) + index * 1000).toISOString(), app, {
          item: index < QUERY_LIMITS.distinctExactMax ? 'exact' : 'rest',
          'user.id': `visitor-${index}`,
          duration: durationOf(index),
        }),
      );
      await open.takeEvents(events);
    });

    it('counts distinct values exactly up to the stated number in each row', async () => {
      const measures = { n: { kind: 'distinct', field: 'visitor' } } as const;
      const dimensions = { item: { kind: 'field', field: 'item' } } as const;
      expect(await open.query({ measures, dimensions, filter: ofApp(app) })).toEqual([
        { item: 'exact', n: 10_000 },
        { item: 'rest', n: 2_000 },
      ]);
      const [row] = await open.query({ measures, filter: ofApp(app) });
      const error = Math.abs(Number(row?.['n']) - visitors) / visitors;
      expect(error).toBeLessThanOrEqual(QUERY_LIMITS.distinctError);
    });

    it.each([1, 25, 50, 75, 95, 99])(
      'knows percentile %i within the stated error of its rank',
      async (at) => {
        const [row] = await open.query({
          measures: { p: { kind: 'percentile', field: 'duration', at } },
          filter: ofApp(app),
        });
        const rank = Math.sqrt(Number(row?.['p']));
        const exact = (at / 100) * (visitors - 1);
        expect(Math.abs(rank - exact)).toBeLessThanOrEqual(
          visitors * QUERY_LIMITS.percentileRankError,
        );
      },
    );

    it.each([1, 50, 99])(
      'knows percentile %i of so many values between its neighbours',
      async (at) => {
        const { percentileExactMax } = QUERY_LIMITS;
        const sorted = Array.from({ length: percentileExactMax }, (_, index) => durationOf(index));
        sorted.sort((a, b) => a - b);
        const [row] = await open.query({
          measures: { p: { kind: 'percentile', field: 'duration', at } },
          filter: {
            kind: 'and',
            filters: [ofApp(app), { kind: 'equals', field: 'item', value: 'exact' }],
          },
        });
        const rank = (at / 100) * (sorted.length - 1);
        expect(row?.['p']).toBeGreaterThanOrEqual(sorted[Math.floor(rank) - 1] ?? Number.NaN);
        expect(row?.['p']).toBeLessThanOrEqual(sorted[Math.ceil(rank) + 1] ?? Number.NaN);
      },
    );

    it('gives all rows of a long answer, in order', async () => {
      const rows = await open.query({
        measures: { n: count },
        dimensions: { visitor: { kind: 'field', field: 'visitor' } },
        filter: ofApp(app),
      });
      const names = rows.map((row) => String(row['visitor']));
      expect(rows).toHaveLength(visitors);
      expect(names).toEqual(names.toSorted());
    });
  });

  it('breaks ties by UTF-8 bytes, not by UTF-16 units', async () => {
    const app = open.newName();
    const items = ['b', 'B', 'é', 'a', '\u{FF5E}', '\u{1F600}', '1', '10', '2'];
    await open.takeEvents(items.map((item) => eventAt('2026-11-23T12:00:00.000Z', app, { item })));
    const rows = await open.query({
      measures: { n: count },
      dimensions: { item: { kind: 'field', field: 'item' } },
      filter: ofApp(app),
    });
    expect(rows.map((row) => row['item'])).toEqual([
      '1',
      '10',
      '2',
      'B',
      'a',
      'b',
      'é',
      '\u{FF5E}',
      '\u{1F600}',
    ]);
  });
}

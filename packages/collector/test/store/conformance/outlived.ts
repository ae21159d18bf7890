import { expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import type { Filter } from '../../../src/query/query.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import { ofApp, type OpenStore } from './with-store.ts';

const DAY_MS = 86_400_000;
const EVER = '0001-01-01';

/** Counts that are kept longer than their events: of whole UTC days. */
export function outlivedTests(open: OpenStore): void {
  const { newName } = open;

  /** A month of its own for each test, later than those before: `expire` knows no app. */
  const month = (number: number) => {
    const app = newName();
    const day = (date: number): string => `2012-${String(number).padStart(2, '0')}-0${date}`;
    const range = { from: Date.parse(day(1)), to: Date.parse(day(7)) };
    const n = { kind: 'count' } as const;
    return {
      app,
      day,
      range,
      /** Views of trees and roads by two visitors on each of the first six days. */
      views: (): StoredEvent[] =>
        [1, 2, 3, 4, 5, 6].flatMap((date) =>
          ['trees', 'roads'].flatMap((item) =>
            ['ann', 'bob'].map((visitor) =>
              eventAt(`${day(date)}T10:00:00.000Z`, app, { item, 'user.id': visitor }),
            ),
          ),
        ),
      /** Counts by day, and the number of events themselves. */
      async counted(filter?: Filter) {
        const all: Filter = {
          kind: 'and',
          filters: [ofApp(app), ...(filter ? [filter] : [])],
        };
        const rows = await open.query({
          measures: { n },
          dimensions: { day: { kind: 'time', interval: 'day' } },
          filter: all,
          range,
          order: [{ by: 'day', direction: 'ascending' }],
        });
        const unknown: Filter = {
          kind: 'not',
          filter: { kind: 'exists', field: 'never' },
        };
        const [events] = await open.query({
          measures: { n },
          filter: { kind: 'and', filters: [unknown, all] },
          range,
        });
        return { days: rows.map((row) => row['n']), events: events?.['n'] };
      },
      /** Since when there are counts by a field. */
      from: (field: string) =>
        open.store.countsFrom({
          measures: { n },
          dimensions: { [field]: { kind: 'field', field } },
          filter: ofApp(app),
          range,
        }),
      /** Counts by item, of some whole weeks. */
      byItem: () =>
        open.query({
          measures: { n },
          dimensions: { item: { kind: 'field', field: 'item' } },
          filter: ofApp(app),
          range: { from: range.from - 8 * DAY_MS, to: range.to + 8 * DAY_MS },
        }),
    };
  };
  const ofTrees: Filter = { kind: 'equals', field: 'item', value: 'trees' };

  it('outlive their events, and go when their own time is over', async () => {
    const { day, views, counted, from } = month(1);
    const journal = newName();
    await open.take(batchOf(journal, 1, views()));
    expect(await open.store.expire(day(4), EVER)).toBe(12);
    expect(await counted()).toEqual({ days: [4, 4, 4, 4, 4, 4], events: 12 });
    expect(await counted(ofTrees)).toEqual({ days: [2, 2, 2, 2, 2, 2], events: 6 });
    await open.store.maintain(new AbortController().signal);
    expect(await counted()).toEqual({ days: [4, 4, 4, 4, 4, 4], events: 12 });
    expect(await from('item')).toBeLessThanOrEqual(Date.parse(day(1)));
    expect(await open.store.expire(day(5), day(3))).toBe(4);
    expect(await from('item')).toBe(Date.parse(day(3)));
    expect(await counted()).toEqual({ days: [4, 4, 4, 4], events: 8 });
    const [tally] = await open.store.tallies(journal);
    expect(tally).toMatchObject({ stored: 24, expired: 16 });
    expect(await open.store.expire(day(5))).toBe(0);
    expect(await counted()).toEqual({ days: [4, 4], events: 8 });
    expect(await from('item')).toBe(Date.parse(day(5)));
    expect(await from('visitor')).toBe(Number.POSITIVE_INFINITY);
  });

  it('have what comes late before it goes', async () => {
    const { day, views, counted } = month(2);
    await open.takeEvents(views());
    await open.store.expire(day(4), EVER);
    await open.takeEvents(views().slice(0, 3));
    expect(await counted()).toEqual({ days: [7, 4, 4, 4, 4, 4], events: 15 });
    expect(await open.store.expire(day(4), EVER)).toBe(3);
    expect(await counted()).toEqual({ days: [7, 4, 4, 4, 4, 4], events: 12 });
  });

  it('leave out what comes late and is erased before it goes', async () => {
    const { app, day, views, counted, byItem } = month(6);
    await open.takeEvents(views());
    await open.store.expire(day(4), EVER);
    await open.takeEvents(views().slice(0, 3));
    await open.store.maintain(new AbortController().signal);
    expect(await counted()).toEqual({ days: [7, 4, 4, 4, 4, 4], events: 15 });
    expect(await open.store.erase({ app, visitor: 'ann' })).toBe(2 + 6);
    await open.store.maintain(new AbortController().signal);
    expect(await counted()).toEqual({ days: [5, 4, 4, 2, 2, 2], events: 7 });
    expect(await open.store.expire(day(4), EVER)).toBe(1);
    expect(await counted()).toEqual({ days: [5, 4, 4, 2, 2, 2], events: 6 });
    expect(await byItem()).toEqual([
      { item: 'trees', n: 10 },
      { item: 'roads', n: 9 },
    ]);
  });

  it('are corrected by an erasure of events that are there, and of an item wholly', async () => {
    const { app, day, views, counted, byItem } = month(3);
    await open.takeEvents(views());
    await open.store.expire(day(4), EVER);
    expect(await open.store.erase({ app, visitor: 'ann' })).toBe(6);
    expect(await counted(ofTrees)).toEqual({ days: [2, 2, 2, 1, 1, 1], events: 3 });
    expect(await open.store.erase({ item: 'trees', app: 'other' })).toBe(0);
    expect(await counted(ofTrees)).toMatchObject({ days: [2, 2, 2, 1, 1, 1] });
    const second = Date.parse(day(2));
    expect(await open.store.erase({ app, item: 'trees', from: second, to: second + DAY_MS })).toBe(
      0,
    );
    expect(await counted(ofTrees)).toMatchObject({ days: [2, 2, 1, 1, 1] });
    expect(await byItem()).toEqual([
      { item: 'roads', n: 9 },
      { item: 'trees', n: 7 },
    ]);
    expect(await open.store.erase({ app, item: 'trees' })).toBe(3);
    expect(await counted(ofTrees)).toEqual({ days: [], events: 0 });
    expect(await byItem()).toEqual([{ item: 'roads', n: 9 }]);
    expect(await counted()).toEqual({ days: [4, 4, 4, 1, 1, 1], events: 3 });
  });

  it('stay when their rollup is rebuilt', async () => {
    const { day, views, counted } = month(4);
    await open.takeEvents(views());
    await open.store.expire(day(4), EVER);
    await open.store.rebuildRollup('tock');
    expect(await counted()).toEqual({ days: [4, 4, 4, 4, 4, 4], events: 12 });
    await open.store.maintain(new AbortController().signal);
    expect(await counted()).toEqual({ days: [4, 4, 4, 4, 4, 4], events: 12 });
  });

  it('answer in whole what the tock asks of them', async () => {
    const { app, day, views, range } = month(5);
    await open.takeEvents(
      views().map((event) => ({ ...event, referer: 'x.example', 'file.extension': 'csv' })),
    );
    await open.store.expire(day(4), EVER);
    for (const [name, field] of [
      ['format', 'csv'],
      ['referer', 'x.example'],
    ] as const) {
      const dimensions = { [name]: { kind: 'field', field: name } } as const;
      const measures = { n: { kind: 'count' } } as const;
      const query = { measures, dimensions, range, timeZone: 'UTC' };
      const site = await open.query({ ...query, filter: ofApp(app) });
      expect(site).toEqual([{ [name]: field, n: 24 }]);
      const item: Filter = { kind: 'and', filters: [ofApp(app), ofTrees] };
      expect(await open.query({ ...query, filter: item })).toEqual([{ [name]: field, n: 12 }]);
    }
  });
}

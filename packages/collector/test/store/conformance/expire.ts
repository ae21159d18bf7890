import { expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import type { OpenStore } from './with-store.ts';

/** Long before the days of other tests, for `expire` knows no app. */
const at = (day: number, time = '12:00:00.000'): string =>
  `2011-03-${String(day).padStart(2, '0')}T${time}Z`;

const identified = (app: string, id: string, time: string): StoredEvent =>
  eventAt(time, app, { 'event.id': id, 'event.created': time });

/** Retention: whole days go, counted, and their tombstones with them. */
export function expireTests(open: OpenStore): void {
  const { newName, take, count } = open;

  it('takes out the days before a day, wholly, and counts them in each segment', async () => {
    const [app, journal] = [newName(), newName()];
    await take(batchOf(journal, 1, [eventAt(at(1), app), eventAt(at(2, '23:59:59.999'), app)], 1));
    await take(batchOf(journal, 3, [eventAt(at(2), app), eventAt(at(3, '00:00:00.000'), app)], 3));
    expect(await open.store.expire('2011-03-03')).toBe(3);
    await open.store.refresh();
    expect(await count(app)).toBe(1);
    expect(await open.store.tallies(journal)).toMatchObject([
      { segment: 1, last: 2, stored: 2, erased: 0, expired: 2 },
      { segment: 3, last: 4, stored: 2, erased: 0, expired: 1 },
    ]);
    expect(await open.store.cursor(journal)).toBe(5);
    expect(await open.store.expire('2011-03-03')).toBe(0);
    expect(await open.store.expire('2011-03-04')).toBe(1);
  });

  it("goes by the client's own time, by the receipt without one, by neither if it is far off", async () => {
    const app = newName();
    const days = (created: string | undefined, time: string, received: string): StoredEvent => ({
      ...eventAt(time, app, { 'event.ingested': received, item: `${created} ${time}` }),
      ...(created !== undefined && { 'event.id': created, 'event.created': created }),
    });
    await open.takeEvents([
      // A clock ten minutes slow, corrected over midnight: its own day.
      days(at(4, '23:55:00.000'), at(5, '00:05:00.000'), at(5, '00:05:00.000')),
      // No client time: the day of receipt, here after the day of the event.
      days(undefined, at(4), at(5)),
      // A clock that is years behind, corrected: the corrected day.
      days('1999-01-01T00:00:00.000Z', at(5, '01:00:00.000'), at(5, '01:00:00.000')),
      // A clock that is two days ahead, taken as now: the day that it was taken for.
      days(at(7), at(4, '13:00:00.000'), at(4, '13:00:00.000')),
      // An import of what happened long before.
      days(at(4), at(4), at(5)),
    ]);
    expect(await open.store.expire('2011-03-05')).toBe(3);
    await open.store.refresh();
    expect(await count(app)).toBe(2);
    expect(await open.store.expire('2011-03-06')).toBe(2);
  });

  it('does not count erased events as expired', async () => {
    const [app, journal] = [newName(), newName()];
    await take(batchOf(journal, 1, [eventAt(at(7), app, { item: 'a' }), eventAt(at(7), app)]));
    expect(await open.store.erase({ app, item: 'a' })).toBe(1);
    expect(await open.store.expire('2011-03-08')).toBe(1);
    expect(await open.store.tallies(journal)).toMatchObject([{ stored: 2, erased: 1, expired: 1 }]);
  });

  it('keeps a tombstone until its day expires', async () => {
    const app = newName();
    const events = [identified(app, 'a', at(10)), identified(app, 'b', at(11))];
    await open.takeEvents(events);
    expect(await open.store.erase({ app })).toBe(2);
    expect(await open.store.expire('2011-03-10')).toBe(0);
    expect(await open.takeEvents(events)).toMatchObject({ stored: 0, duplicates: 2 });
    expect(await open.store.expire('2011-03-11')).toBe(0);
    expect(await open.takeEvents(events)).toMatchObject({ stored: 1, duplicates: 1 });
    expect(await open.store.expire('2011-03-12')).toBe(1);
  });
}

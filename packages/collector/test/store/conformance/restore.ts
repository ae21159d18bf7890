import { expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import { placeName } from '../../../src/place-name.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import type { OpenStore } from './with-store.ts';

const at = (day: number, time = '12:00:00.000'): string =>
  `2012-03-${String(day).padStart(2, '0')}T${time}Z`;

/** Every way in which an event is named and filed; all of two days, so that no two are twins. */
const ways = (app: string): readonly StoredEvent[] => [
  eventAt(at(6), app, { item: 'no id, no time' }),
  eventAt(at(6), app, { item: 'no id, no time, again' }),
  eventAt(at(6), app, { 'event.created': at(6), item: 'no id' }),
  eventAt(at(6), app, { 'event.created': at(5, '23:50:00.000'), item: 'no id, corrected' }),
  eventAt(at(6), app, { 'event.created': '1999-01-01T00:00:00.000Z', item: 'no id, far off' }),
  eventAt(at(5), app, { 'event.ingested': at(6), item: 'no id, an import' }),
  eventAt(at(6), app, { 'event.id': 'a', item: 'no time' }),
  eventAt(at(6), app, { 'event.id': 'b', 'event.created': at(6), item: 'both' }),
  eventAt(at(6), app, {
    'event.id': 'c',
    'event.created': at(5, '23:50:00.000'),
    item: 'both, corrected',
  }),
];

/** As `metronome restore` appends them to a journal. */
const restored = (journal: string, events: readonly StoredEvent[]): readonly StoredEvent[] =>
  events.map((event, index) => ({
    'event.id': placeName({ collector: journal, sequence: index + 1 }),
    ...event,
  }));

/** Events that come back from an archive or an export, under the names that they had. */
export function restoreTests(open: OpenStore): void {
  const { newName, take, count } = open;
  const number = ways('').length;

  it('counts as duplicates what is still there', async () => {
    const [app, journal] = [newName(), newName()];
    await take(batchOf(journal, 1, ways(app)));
    const again = restored(journal, ways(app));
    const outcome = { stored: 0, duplicates: number, rejected: 0 };
    expect(await open.takeEvents(again)).toMatchObject(outcome);
    expect(await take(batchOf(journal, number + 1, again, number + 1))).toMatchObject(outcome);
    expect(await count(app)).toBe(number);
  });

  it('takes what is lost, once, however often and from wherever it comes', async () => {
    const [app, journal] = [newName(), newName()];
    const lost = restored(journal, ways(app));
    expect(await open.takeEvents([...lost, ...lost])).toMatchObject({
      stored: number,
      duplicates: number,
    });
    expect(await open.takeEvents(lost)).toMatchObject({ stored: 0, duplicates: number });
    expect(await count(app)).toBe(number);
  });

  it('takes only what is lost of what comes', async () => {
    const [app, journal] = [newName(), newName()];
    const events = ways(app);
    await take(batchOf(journal, 1, events.slice(0, 4)));
    expect(await open.takeEvents(restored(journal, events))).toMatchObject({
      stored: number - 4,
      duplicates: 4,
    });
  });

  it('knows a place by its journal, and a name that is none', async () => {
    const [app, journal, other] = [newName(), newName(), newName()];
    const [event] = ways(app);
    if (event === undefined) throw new Error('there is one');
    await take(batchOf(journal, 1, [event]));
    const named = (id: string): StoredEvent => ({ ...event, 'event.id': id });
    const ids = [`~${other}-1`, `~${journal}-2`, `~~${journal}-1`, `~${journal}`, '~'];
    expect(await open.takeEvents(ids.map(named))).toMatchObject({ stored: 5, duplicates: 0 });
    expect(await open.takeEvents([named(`~${journal}-1`)])).toMatchObject({ duplicates: 1 });
  });

  it('does not bring back what is erased', async () => {
    const [app, journal] = [newName(), newName()];
    await take(batchOf(journal, 1, ways(app)));
    expect(await open.store.erase({ app, item: 'both' })).toBe(1);
    expect(await open.store.erase({ app, item: 'no id, no time' })).toBe(1);
    const again = restored(journal, ways(app));
    expect(await open.takeEvents(again)).toMatchObject({ stored: 0, duplicates: number });
    expect(await open.store.erase({ app })).toBe(number - 2);
    expect(await open.takeEvents(again)).toMatchObject({ stored: 0, duplicates: number });
    expect(await count(app)).toBe(0);
  });

  it('does not bring back what is erased after it was restored', async () => {
    const [app, journal] = [newName(), newName()];
    const again = restored(journal, ways(app));
    expect(await open.takeEvents(again)).toMatchObject({ stored: number });
    expect(await open.store.erase({ app })).toBe(number);
    expect(await open.takeEvents(again)).toMatchObject({ stored: 0, duplicates: number });
  });

  it('takes what has expired, and counts it by its new place', async () => {
    const [app, journal, later] = [newName(), newName(), newName()];
    await take(batchOf(journal, 1, ways(app)));
    const before = await open.store.expire('2012-03-07');
    expect(before).toBeGreaterThanOrEqual(number);
    const again = batchOf(later, 1, restored(journal, ways(app)));
    expect(await take(again)).toMatchObject({ stored: number, duplicates: 0 });
    expect(await count(app)).toBe(number);
    expect(await open.store.tallies(journal)).toMatchObject([{ stored: number, expired: number }]);
    expect(await open.store.tallies(later)).toMatchObject([{ stored: number, expired: 0 }]);
    expect(await open.store.places(later, [{ first: 1, last: number }])).toMatchObject([
      { stored: number },
    ]);
  });
}

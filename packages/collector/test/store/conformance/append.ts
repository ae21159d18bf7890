import { expect, it } from 'vitest';
import type { Tally } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import { batchOf, batchOfLines, eventAt, journaled } from '../journal-lines.ts';
import type { OpenStore } from './with-store.ts';

const noon = '2026-11-23T12:00:00.000Z';

const identified = (app: string, id: string, created: string = noon): StoredEvent =>
  eventAt(noon, app, { 'event.id': id, 'event.created': created });

const received = (app: string, id: string, ingested: string): StoredEvent =>
  eventAt(ingested, app, { 'event.id': id });

/** Cursor, tally, idempotence, identity and rejects. */
export function appendTests(open: OpenStore): void {
  const { newName, take, count } = open;
  it('starts a journal at 1 and moves the cursor past each batch', async () => {
    const [app, journal] = [newName(), newName()];
    expect(await open.store.cursor(journal)).toBe(1);
    expect(await open.store.tallies(journal)).toEqual([]);

    const events = [identified(app, 'a'), identified(app, 'b')];
    expect(await take(batchOf(journal, 1, events))).toEqual(outcome({ stored: 2 }));
    expect(await open.store.cursor(journal)).toBe(3);
    await take(batchOf(journal, 3, [identified(app, 'c')]));
    expect(await open.store.cursor(journal)).toBe(4);
    expect(await open.store.tallies(journal)).toEqual([tally({ last: 3, stored: 3 })]);
    expect(await count(app)).toBe(3);
    expect(await open.store.cursor(newName())).toBe(1);
  });

  it('keeps a tally for each segment', async () => {
    const [app, journal] = [newName(), newName()];
    await take(batchOf(journal, 1, [identified(app, 'a'), identified(app, 'b')], 1));
    await take(batchOf(journal, 3, [identified(app, 'c'), identified(app, 'a')], 3));
    expect(await open.store.tallies(journal)).toEqual([
      tally({ segment: 1, last: 2, stored: 2 }),
      tally({ segment: 3, last: 4, stored: 1, duplicates: 1 }),
    ]);
  });

  it('changes nothing when a batch from before the cursor comes again', async () => {
    const [app, journal] = [newName(), newName()];
    const batch = batchOf(journal, 1, [identified(app, 'a'), eventAt(noon, app)]);
    await take(batch);
    const before = await open.store.tallies(journal);
    await take(batch);
    expect(await open.store.cursor(journal)).toBe(3);
    expect(await open.store.tallies(journal)).toEqual(before);
    expect(await count(app)).toBe(2);
  });

  it('counts a redelivery once after it was cut off before the commit', async () => {
    const [app, journal] = [newName(), newName()];
    const lines = [
      ...journaled(journal, 1, [identified(app, 'a'), eventAt(noon, app)]).map((event) =>
        JSON.stringify(event),
      ),
      'not JSON',
    ];
    const cutOff = open.store.append(batchOfLines(journal, 1, lines), () =>
      Promise.reject(new Error('cut off')),
    );
    await expect(cutOff).rejects.toThrow('cut off');
    expect(await open.store.cursor(journal)).toBe(1);
    expect(await open.store.tallies(journal)).toEqual([]);

    expect(await take(batchOfLines(journal, 1, lines.slice(0, 1)))).toMatchObject({ stored: 1 });
    expect(await take(batchOfLines(journal, 2, lines.slice(1)))).toMatchObject({
      stored: 1,
      rejected: 1,
    });
    expect(await open.store.tallies(journal)).toEqual([tally({ last: 3, stored: 2, rejected: 1 })]);
    expect(await count(app)).toBe(2);
  });

  it('counts twins once: in one batch, in the next, from another journal', async () => {
    const [app, journal, other] = [newName(), newName(), newName()];
    const twin = identified(app, 'a');
    expect(await take(batchOf(journal, 1, [twin, twin, identified(app, 'b')]))).toEqual(
      outcome({ stored: 2, duplicates: 1 }),
    );
    expect(await take(batchOf(journal, 4, [twin]))).toEqual(outcome({ duplicates: 1 }));
    expect(await take(batchOf(other, 1, [twin, identified(app, 'c')]))).toEqual(
      outcome({ stored: 1, duplicates: 1 }),
    );
    expect(await count(app)).toBe(3);
  });

  it('knows a twin whose clock was corrected otherwise, and one that comes weeks later', async () => {
    const app = newName();
    const late = '2026-12-20T08:00:00.000Z';
    await open.takeEvents([identified(app, 'a')]);
    const again = { ...identified(app, 'a'), '@timestamp': '2026-11-23T12:00:07.000Z' };
    expect(await open.takeEvents([again])).toMatchObject({ stored: 0, duplicates: 1 });
    const later = { ...identified(app, 'a'), 'event.ingested': late };
    expect(await open.takeEvents([later])).toMatchObject({ stored: 0, duplicates: 1 });
    expect(await count(app)).toBe(1);
  });

  it('knows a twin that comes when the time is there that a clock ahead gave it', async () => {
    const app = newName();
    const ahead = (receipt: string, time: string): StoredEvent => ({
      ...identified(app, 'a', '2026-11-25T12:00:00.000Z'),
      '@timestamp': time,
      'event.ingested': receipt,
    });
    const first = ahead('2026-11-23T12:00:00.000Z', '2026-11-23T12:00:00.000Z');
    expect(await open.takeEvents([first])).toMatchObject({ stored: 1 });
    const again = ahead('2026-11-25T12:00:00.000Z', '2026-11-23T12:00:00.000Z');
    expect(await open.takeEvents([again])).toMatchObject({ stored: 0, duplicates: 1 });
    expect(await count(app)).toBe(1);
  });

  it('tells events apart by app, by id and by client time', async () => {
    const [app, otherApp] = [newName(), newName()];
    const outcomes = await open.takeEvents([
      identified(app, 'a'),
      identified(app, 'A'),
      identified(app, 'a', '2026-11-23T12:00:00.001Z'),
      identified(otherApp, 'a'),
      received(app, 'a', noon),
    ]);
    expect(outcomes).toMatchObject({ stored: 5, duplicates: 0 });
    expect([await count(app), await count(otherApp)]).toEqual([4, 1]);
  });

  it('takes the place for the identity where there is no id', async () => {
    const app = newName();
    const plain = eventAt(noon, app, { item: 'same' });
    expect(await open.takeEvents([plain, plain])).toMatchObject({ stored: 2, duplicates: 0 });
    expect(await open.takeEvents([plain])).toMatchObject({ stored: 1, duplicates: 0 });
    expect(await count(app)).toBe(3);
  });

  it('looks for a twin without client time on the day of receipt and the day before', async () => {
    const app = newName();
    const take1 = (ingested: string) => open.takeEvents([received(app, 'a', ingested)]);
    expect(await take1('2026-11-20T00:00:00.000Z')).toMatchObject({ stored: 1 });
    expect(await take1('2026-11-20T23:59:59.999Z')).toMatchObject({ duplicates: 1 });
    expect(await take1('2026-11-21T23:59:59.999Z')).toMatchObject({ duplicates: 1 });
    expect(await take1('2026-11-22T00:00:00.000Z')).toMatchObject({ stored: 1 });
    expect(await take1('2026-11-23T10:00:00.000Z')).toMatchObject({ duplicates: 1 });
    expect(await count(app)).toBe(2);
  });

  it('looks for such a twin within one batch too', async () => {
    const app = newName();
    const days = ['2026-11-20T12', '2026-11-21T12', '2026-11-22T12', '2026-11-23T12'];
    const events = days.map((day) => received(app, 'a', `${day}:00:00.000Z`));
    // The second is a twin and is not kept, so the third meets none; the fourth is its twin.
    expect(await open.takeEvents(events)).toMatchObject({ stored: 2, duplicates: 2 });
  });

  it('gives what it can never store to the rejects and takes the rest', async () => {
    const [app, journal] = [newName(), newName()];
    const [first, unreadable, last] = journaled(journal, 1, [
      identified(app, 'a'),
      identified(app, 'b'),
      identified(app, 'c'),
    ]);
    const lines = [
      JSON.stringify(first),
      JSON.stringify({ ...unreadable, '@timestamp': 'whenever' }),
      JSON.stringify(last),
    ];
    const taken = await take(batchOfLines(journal, 1, [...lines, '{"journal.sequence":4,']));
    expect(taken).toMatchObject({ stored: 2, duplicates: 0, rejected: 2 });
    expect(taken.rejects.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual([2, 4]);
    for (const { reason } of taken.rejects) {
      expect(reason).toMatch(/\w+ \w+/);
      expect(reason).not.toContain('whenever');
    }
    expect(await open.store.tallies(journal)).toEqual([tally({ last: 4, stored: 2, rejected: 2 })]);
    expect(await count(app)).toBe(2);
  });

  it('moves on past events that delivery has given up', async () => {
    const journal = newName();
    const given = { ...batchOfLines(journal, 1, []), last: 5 };
    expect(await take(given)).toEqual(outcome({ rejected: 5 }));
    expect(await open.store.cursor(journal)).toBe(6);
    expect(await open.store.tallies(journal)).toEqual([tally({ last: 5, rejected: 5 })]);
  });

  it('counts what it holds of a journal by place', async () => {
    const [app, journal] = [newName(), newName()];
    await take(
      batchOf(journal, 1, [identified(app, 'a'), identified(app, 'a'), identified(app, 'b')]),
    );
    await take(batchOf(journal, 4, [identified(app, 'c')], 4));
    const ranges = [
      { first: 1, last: 2 },
      { first: 3, last: 4 },
      { first: 5, last: 90 },
    ];
    expect(await open.store.places(journal, ranges)).toEqual([
      { first: 1, last: 2, stored: 1 },
      { first: 3, last: 4, stored: 2 },
      { first: 5, last: 90, stored: 0 },
    ]);
    expect(await open.store.places(journal, [])).toEqual([]);
    expect(await open.store.places(newName(), ranges.slice(0, 1))).toEqual([
      { first: 1, last: 2, stored: 0 },
    ]);
  });

  it('says that it can take and answer', async () => {
    await expect(open.store.check()).resolves.toBeUndefined();
  });
}

function outcome(counts: { stored?: number; duplicates?: number; rejected?: number }) {
  const { stored = 0, duplicates = 0, rejected = 0 } = counts;
  return expect.objectContaining({ stored, duplicates, rejected });
}

function tally(counts: Partial<Tally>): Tally {
  return {
    segment: 1,
    last: 0,
    stored: 0,
    duplicates: 0,
    rejected: 0,
    erased: 0,
    expired: 0,
    ...counts,
  };
}

import { expect, it } from 'vitest';
import type { Selection } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import { batchOf, eventAt, journaled } from '../journal-lines.ts';
import type { OpenStore } from './with-store.ts';

const day = (n: number): number => Date.UTC(2026, 10, n);

const events = (app: string): StoredEvent[] => [
  eventAt('2026-11-21T10:00:00.000Z', app, { item: 'trees', 'user.id': 'ann' }),
  eventAt('2026-11-22T00:00:00.000Z', app, { item: 'roads', 'user.id': 'ann' }),
  eventAt('2026-11-22T10:00:00.000Z', app, { item: 'trees', 'user.id': 'bob' }),
  eventAt('2026-11-23T10:00:00.000Z', app, { item: 'trees' }),
];

/** Erasure and export of what a selection names, and nothing else. */
export function eraseTests(open: OpenStore): void {
  const { newName, take, count } = open;
  const exported = async (selection: Selection): Promise<Record<string, unknown>[]> => {
    const found: Record<string, unknown>[] = [];
    for await (const event of open.store.export(selection)) found.push(event);
    return found;
  };

  const selections: readonly [string, Selection, readonly number[]][] = [
    ['a visitor', { visitor: 'ann' }, [0, 1]],
    ['an item', { item: 'trees' }, [0, 2, 3]],
    ['a period', { from: day(22), to: day(23) }, [1, 2]],
    ['all from a day on', { from: day(22) }, [1, 2, 3]],
    ['all before a day', { to: day(22) }, [0]],
    ['an item of a visitor', { visitor: 'ann', item: 'trees' }, [0]],
    ['a whole app', {}, [0, 1, 2, 3]],
    ['nobody', { visitor: 'never seen' }, []],
  ];

  it.each(selections)('exports %s as at rest, oldest first', async (_, selection, indices) => {
    const [app, journal] = [newName(), newName()];
    const kept = journaled(journal, 1, events(app));
    await take(batchOf(journal, 1, events(app).toReversed()));
    const found = await exported({ app, ...selection });
    const expected = indices.map((index) => ({
      ...kept[index],
      'journal.sequence': kept.length - index,
    }));
    expect(found).toEqual(expected);
  });

  it.each(selections)('erases %s and nothing else', async (_, selection, indices) => {
    const [app, other, journal] = [newName(), newName(), newName()];
    await take(batchOf(journal, 1, events(app)));
    await open.takeEvents(events(other));
    expect(await open.store.erase({ app, ...selection })).toBe(indices.length);
    await open.store.refresh();

    expect(await exported({ app, ...selection })).toEqual([]);
    expect(await count(app)).toBe(4 - indices.length);
    expect(await count(other)).toBe(4);
    expect(await open.store.cursor(journal)).toBe(5);
    expect(await open.store.tallies(journal)).toMatchObject([
      { segment: 1, last: 4, stored: 4, erased: indices.length },
    ]);
    expect(await open.store.places(journal, [{ first: 1, last: 4 }])).toMatchObject([
      { stored: 4 - indices.length },
    ]);
    expect(await open.store.erase({ app, ...selection })).toBe(0);
  });

  it('erases a visitor of every app, and counts it in each segment', async () => {
    const [app, other, journal, visitor] = [newName(), newName(), newName(), newName()];
    const view = (of: string) => eventAt('2026-11-21T10:00:00.000Z', of, { 'user.id': visitor });
    await take(batchOf(journal, 1, [view(app), view(other)]));
    await take(batchOf(journal, 3, [view(app), eventAt('2026-11-21T10:00:00.000Z', app)], 3));
    expect(await open.store.erase({ visitor })).toBe(3);
    expect(await open.store.tallies(journal)).toMatchObject([
      { segment: 1, stored: 2, erased: 2 },
      { segment: 3, stored: 2, erased: 1 },
    ]);
  });

  it('does not take an erased event again, from whichever place it comes', async () => {
    const [app, other, journal] = [newName(), newName(), newName()];
    const time = '2026-11-21T10:00:00.000Z';
    const named = (of: string, id: string, created = time): StoredEvent =>
      eventAt(time, of, { 'event.id': id, 'event.created': created, 'user.id': 'ann' });
    const batch = batchOf(journal, 1, [named(app, 'a'), named(app, 'b')]);
    await take(batch);
    expect(await open.store.erase({ app, visitor: 'ann' })).toBe(2);

    await take(batch);
    const retry = { ...named(app, 'a'), 'event.ingested': '2026-11-25T10:00:00.000Z' };
    expect(await take(batchOf(journal, 3, [retry, named(app, 'c')]))).toMatchObject({
      stored: 1,
      duplicates: 1,
    });
    const replayed = [named(app, 'b'), named(app, 'b'), { ...named(app, 'a'), item: 'other' }];
    expect(await open.takeEvents(replayed)).toMatchObject({ stored: 0, duplicates: 3 });
    expect(await count(app)).toBe(1);
    expect(await open.store.tallies(journal)).toMatchObject([
      { stored: 3, duplicates: 1, erased: 2, expired: 0 },
    ]);

    const different = [named(other, 'a'), named(app, 'a', '2026-11-21T10:00:00.001Z')];
    expect(await open.takeEvents(different)).toMatchObject({ stored: 2, duplicates: 0 });
  });

  it('knows an erased event without client time on the day of receipt and the day after', async () => {
    const app = newName();
    const received = (date: number): StoredEvent =>
      eventAt(`2026-11-${date}T10:00:00.000Z`, app, { 'event.id': 'a' });
    await open.takeEvents([received(12)]);
    expect(await open.store.erase({ app })).toBe(1);
    expect(await open.takeEvents([received(12)])).toMatchObject({ duplicates: 1 });
    expect(await open.takeEvents([received(13)])).toMatchObject({ duplicates: 1 });
    expect(await open.takeEvents([received(14)])).toMatchObject({ stored: 1 });
  });

  it('takes what comes anew without a name, for it may be another event', async () => {
    const app = newName();
    const nameless = eventAt('2026-11-21T10:00:00.000Z', app);
    await open.takeEvents([nameless]);
    expect(await open.store.erase({ app })).toBe(1);
    expect(await open.takeEvents([nameless])).toMatchObject({ stored: 1, duplicates: 0 });
  });

  it('exports everything that an event can hold', async () => {
    const [app, journal] = [newName(), newName()];
    const full: StoredEvent = {
      ...eventAt('2026-11-21T10:00:00.123Z', app),
      'event.ingested': '2026-11-21T10:00:01.000Z',
      'event.created': '2026-11-21T09:00:00.007Z',
      'event.id': 'e1',
      item: 'a/b?c#d "e" \u{1F600}',
      'url.full': 'https://example.org/a?b=c',
      'url.domain': 'example.org',
      'url.path': '/a',
      title: 'A title',
      'http.request.referrer': 'https://example.com/',
      referer: 'example.com',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'file.extension': 'csv',
      'file.path': 'https://example.org/a.csv',
      'session.id': 's',
      'page.id': 'p',
      'user.id': 'v',
      'visitor.daily': true,
      duration: 0.5,
      'browser.web_vital.name': 'LCP',
      'browser.web_vital.value': 1234.5,
      'browser.web_vital.rating': 'good',
      message: 'text',
      'error.message': 'it broke',
      'error.stack_trace': 'at a\nat b',
      'error.grouping_key': 'f00',
      'log.origin.file.name': 'a.js',
      'log.origin.file.line': 1,
      'log.origin.file.column': 2,
      'user_agent.name': 'Firefox',
      'user_agent.version': '153',
      'user_agent.os.name': 'Linux',
      'user_agent.device.type': 'desktop',
      'browser.language': 'de',
      bot: true,
      tags: ['bot', 'clock_corrected'],
      labels: { text: 'x', many: ['b', 'a', 'b'], n: '1.5', 'a.b': 'c' },
      metrics: { n: 1.5, many: [3, 1] },
    };
    await take(batchOf(journal, 7, [full], 7));
    expect(await exported({ app })).toEqual(
      journaled(journal, 7, [full], 7).map((event) => ({ ...event })),
    );
  });

  it('refuses a selection of nothing in particular', async () => {
    const refusal = { name: 'MetronomeError', code: 'bad-request' };
    await expect(open.store.erase({})).rejects.toMatchObject(refusal);
    await expect(exported({})).rejects.toMatchObject(refusal);
  });
}

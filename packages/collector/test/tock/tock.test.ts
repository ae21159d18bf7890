import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventStore } from '../../src/event-store.ts';
import type { StoredEvent } from '../../src/event.ts';
import { defineQuery } from '../../src/query/declared.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';
import { answerRequest } from '../../src/tock/answer-request.ts';
import { writeAnswer } from '../../src/tock/answer.ts';
import { onlyApp } from '../../src/tock/only-app.ts';
import { parseRequest } from '../../src/tock/request.ts';
import type { Reader, Statistic } from '../../src/tock/statistic.ts';
import { declared } from '../../src/tock/statistics/declared.ts';
import { items } from '../../src/tock/statistics/items.ts';
import { tock } from '../../src/tock/statistics/tock.ts';
import { batchOf, eventAt } from '../store/journal-lines.ts';

const now = Date.UTC(2026, 10, 23, 12);
const empty = '{"views":{},"downloads":{},"referers":{}}';

let dataDir = '';
let journals = 0;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-tock-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** A store of its own with these events; `ask` answers as the route does. */
async function storeOf(events: readonly StoredEvent[]) {
  const store = openDuckdbStore({ dataDir: join(dataDir, String(++journals)) });
  await take(store, events);
  const answer = async (
    parameters: string,
    item: string | undefined,
    at: number,
  ): Promise<string> => {
    const rules = { names: tock.parameters, timeZone: 'UTC' };
    const request = parseRequest(item, new URLSearchParams(parameters), rules);
    const answered = await answerRequest(store, tock, request, at);
    return writeAnswer(answered.answer);
  };
  const ask = (parameters = '', item = 'trees', at = now): Promise<string> =>
    answer(parameters, item, at);
  const site = (parameters = ''): Promise<string> => answer(parameters, undefined, now);
  return { store, ask, site };
}

async function take(store: EventStore, events: readonly StoredEvent[]): Promise<void> {
  if (events.length === 0) return;
  await store.append(batchOf(`journal-${++journals}`, 1, events), () => Promise.resolve());
}

const view = (time: string, fields: Partial<StoredEvent> = {}): StoredEvent =>
  eventAt(time, 'default', { item: 'trees', ...fields });

const download = (time: string, format?: string): StoredEvent =>
  view(time, { 'event.action': 'download', ...(format && { 'file.extension': format }) });

const times = <T>(count: number, event: T): T[] => Array.from({ length: count }, () => event);

describe('counts that outlive their events', () => {
  const order = (time: string): StoredEvent =>
    view(time, { 'event.action': 'order', labels: { department: 'parks' }, 'user.id': 'ann' });
  const departments = defineQuery({
    rollup: true,
    measures: { orders: { kind: 'count' } },
    dimensions: { department: { kind: 'field', field: 'department' } },
  });
  const days = ['2026-10-01', '2026-11-20', '2026-11-23'];

  const answer = async (
    store: EventStore,
    statistic: Statistic,
    parameters: string,
  ): Promise<unknown> => {
    const query = new URLSearchParams(parameters);
    const request = parseRequest(undefined, query, {
      names: statistic.parameters,
      timeZone: 'UTC',
    });
    const rules = { sites: [], queryEventsMax: 2, retentionDays: 7, countsDays: 60 };
    return JSON.parse(
      writeAnswer((await answerRequest(store, statistic, request, now, rules)).answer),
    );
  };

  it('answer tocks and ranks of counts', async () => {
    const { store } = await storeOf([view('2026-10-01T10:00:00.000Z', { 'user.id': 'ann' })]);
    await store.expire('2026-11-16', '2026-09-24');
    const from = 'from=2026-09-24';
    expect(await answer(store, tock, from)).toMatchObject({ views: { '2026-10-01': 1 } });
    expect(await answer(store, items, `${from}&by=views`)).toEqual({ trees: 1 });
    await expect(answer(store, items, `${from}&by=visitors`)).rejects.toThrow(
      '2026-09-24 is beyond the retention: the first whole day whose events are kept is 2026-11-16',
    );
    await expect(answer(store, tock, 'from=2026-09-23')).rejects.toThrow(
      /counts are kept is 2026-09-24/,
    );
    await expect(answer(store, tock, `${from}&tz=Asia/Tokyo`)).rejects.toThrow(/ask with tz=UTC/);
    await store.close();
  });

  it('answer a declared query with a rollup from when it was declared', async () => {
    const folder = join(dataDir, String(++journals));
    const first = openDuckdbStore({ dataDir: folder, queries: { departments } });
    await take(
      first,
      days.map((day) => order(`${day}T10:00:00.000Z`)),
    );
    await first.expire('2026-11-16', '2026-09-24');
    expect(await answer(first, declared(departments), 'from=2026-09-24')).toEqual({ parks: 3 });
    const without = declared({ ...departments, rollup: false });
    expect(await answer(first, without, 'from=2026-09-24')).toEqual({ parks: 3 });
    const others = {
      ...departments,
      measures: { n: { kind: 'distinct', field: 'visitor' } },
    } as const;
    await expect(answer(first, declared(others), 'from=2026-09-24')).rejects.toThrow(
      /events are kept/,
    );
    await first.close();

    const later = defineQuery({ ...departments, measures: { n: { kind: 'sum', field: 'price' } } });
    const store = openDuckdbStore({ dataDir: folder, queries: { later } });
    await store.maintain(new AbortController().signal);
    await store.expire('2026-11-21', '2026-09-24');
    await expect(answer(store, declared(later), 'from=2026-11-15')).rejects.toThrow(
      '2026-11-15 is beyond the retention: the first whole day whose events are kept is 2026-11-16',
    );
    expect(await answer(store, declared(later), 'from=2026-11-16')).toEqual({ parks: 0 });
    await store.close();
  });
});

describe('the tock of an item', () => {
  it('is empty for an item that was never seen, in an empty store and in another', async () => {
    const nothing = await storeOf([]);
    expect(await nothing.ask()).toBe(empty);
    const { ask } = await storeOf([view('2026-11-23T10:00:00.000Z')]);
    expect(await ask('', 'never seen')).toBe(empty);
    await nothing.store.close();
  });

  it('has views newest first, downloads and referers highest first', async () => {
    const { ask } = await storeOf([
      ...times(2, view('2026-11-21T10:00:00.000Z', { referer: 'arcgis.com' })),
      ...times(3, view('2026-11-23T10:00:00.000Z', { referer: 'washingtonpost.com/articles/dc' })),
      view('2026-11-23T11:00:00.000Z'),
      ...times(2, download('2026-11-23T10:00:00.000Z', 'csv')),
      ...times(3, download('2026-11-22T10:00:00.000Z', 'kml')),
      download('2026-11-22T10:00:00.000Z'),
    ]);
    expect(await ask()).toBe(
      '{"views":{"2026-11-23":4,"2026-11-21":2},' +
        '"downloads":{"kml":3,"csv":2,"other":1},' +
        '"referers":{"washingtonpost.com/articles/dc":3,"arcgis.com":2}}',
    );
  });

  it('keeps the order of keys that look like integers, and ties by key', async () => {
    const { ask } = await storeOf([
      ...times(2, download('2026-11-23T10:00:00.000Z', '7z')),
      ...times(2, download('2026-11-23T10:00:00.000Z', '2')),
      ...times(2, download('2026-11-23T10:00:00.000Z', '10')),
      ...times(3, download('2026-11-23T10:00:00.000Z', 'zip')),
      download('2026-11-23T10:00:00.000Z', '1'),
    ]);
    expect(await ask()).toContain('"downloads":{"zip":3,"10":2,"2":2,"7z":2,"1":1}');
    expect(await ask('limit=2')).toContain('"downloads":{"zip":3,"10":2},');
  });

  it('writes keys as JSON, whatever they hold', async () => {
    const odd = 'a"b\\c/\n</script>__proto__';
    const { ask } = await storeOf([
      view('2026-11-23T10:00:00.000Z', { item: odd, referer: odd }),
      view('2026-11-23T10:00:00.000Z', { item: odd, referer: '__proto__' }),
    ]);
    const found: unknown = JSON.parse(await ask('', odd));
    expect(Object.entries((found as { referers: object }).referers)).toEqual([
      ['__proto__', 1],
      [odd, 1],
    ]);
  });

  it('cuts downloads and referers by the limit, not views', async () => {
    const days = ['2026-11-21', '2026-11-22', '2026-11-23'];
    const { ask } = await storeOf(
      days.flatMap((day) => [
        view(`${day}T10:00:00.000Z`, { referer: `${day}.example` }),
        download(`${day}T10:00:00.000Z`, day),
      ]),
    );
    expect(await ask('limit=1')).toBe(
      '{"views":{"2026-11-23":1,"2026-11-22":1,"2026-11-21":1},' +
        '"downloads":{"2026-11-21":1},"referers":{"2026-11-21.example":1}}',
    );
  });

  it('counts nothing but views and downloads, and referers of views alone', async () => {
    const at = '2026-11-23T10:00:00.000Z';
    const { ask } = await storeOf([
      view(at),
      view(at, { 'event.action': 'log', referer: 'a.example' }),
      view(at, { 'event.action': 'vital' }),
      view(at, { 'event.action': 'outbound', 'file.extension': 'csv' }),
      { ...download(at, 'csv'), referer: 'b.example' },
    ]);
    expect(await ask()).toBe('{"views":{"2026-11-23":1},"downloads":{"csv":1},"referers":{}}');
  });

  it('leaves bots out unless asked to include them', async () => {
    const at = '2026-11-23T10:00:00.000Z';
    const { ask } = await storeOf([view(at), view(at, { bot: true, referer: 'spam.example' })]);
    expect(await ask()).toBe('{"views":{"2026-11-23":1},"downloads":{},"referers":{}}');
    expect(await ask('bots=include')).toBe(
      '{"views":{"2026-11-23":2},"downloads":{},"referers":{"spam.example":1}}',
    );
  });

  it('holds both ends of its period and no more', async () => {
    const { ask } = await storeOf(
      [
        '2026-11-20T23:59:59.999Z',
        '2026-11-21T00:00:00.000Z',
        '2026-11-22T23:59:59.999Z',
        '2026-11-23T00:00:00.000Z',
      ].map((time) => view(time)),
    );
    expect(await ask('from=2026-11-21&to=2026-11-22')).toContain(
      '"views":{"2026-11-22":1,"2026-11-21":1}',
    );
  });

  it('counts by the hours of a day on which clocks go back', async () => {
    const { ask } = await storeOf(
      [
        '2026-10-24T23:30:00.000Z',
        '2026-10-25T00:10:00.000Z',
        '2026-10-25T01:10:00.000Z',
        '2026-10-25T02:10:00.000Z',
      ].map((time) => view(time)),
    );
    expect(await ask('from=2026-10-25&to=2026-10-25&tz=Europe/Berlin&interval=hour')).toContain(
      '"views":{"2026-10-25T03:00+01:00":1,"2026-10-25T02:00+01:00":1,' +
        '"2026-10-25T02:00+02:00":1,"2026-10-25T01:00+02:00":1}',
    );
  });

  it('counts by the hours of a day on which clocks go forward', async () => {
    const { ask } = await storeOf(
      ['2026-03-29T00:30:00.000Z', '2026-03-29T01:10:00.000Z'].map((time) => view(time)),
    );
    expect(await ask('from=2026-03-29&to=2026-03-29&tz=Europe/Berlin&interval=hour')).toContain(
      '"views":{"2026-03-29T03:00+02:00":1,"2026-03-29T01:00+01:00":1}',
    );
  });

  it('counts days of 23 and 25 hours', async () => {
    const { ask } = await storeOf(
      [
        '2026-03-28T23:00:00.000Z',
        '2026-03-29T21:59:59.999Z',
        '2026-03-29T22:00:00.000Z',
        '2026-10-25T22:59:59.999Z',
      ].map((time) => view(time)),
    );
    expect(await ask('from=2026-03-01&to=2026-11-01&tz=Europe/Berlin')).toContain(
      '"views":{"2026-10-25":1,"2026-03-30":1,"2026-03-29":2}',
    );
  });

  it.each([
    ['interval=hour&tz=UTC', '"2026-11-23T03:00+00:00":1,"2026-11-22T20:00+00:00":1'],
    ['interval=hour&tz=Asia/Kolkata', '"2026-11-23T08:00+05:30":1,"2026-11-23T01:00+05:30":1'],
    ['interval=hour&tz=America/New_York', '"2026-11-22T22:00-05:00":1,"2026-11-22T15:00-05:00":1'],
    ['interval=day&tz=America/New_York', '"2026-11-22":2'],
    ['interval=day&tz=Asia/Tokyo', '"2026-11-23":2'],
    ['interval=week&tz=UTC', '"2026-11-23":1,"2026-11-16":1'],
    ['interval=week&tz=Asia/Tokyo', '"2026-11-23":2'],
    ['interval=month&tz=UTC', '"2026-11":2'],
  ])('has keys by %s', async (parameters, views) => {
    const { ask } = await storeOf(
      ['2026-11-22T20:15:00.000Z', '2026-11-23T03:15:00.000Z'].map((time) => view(time)),
    );
    expect(await ask(parameters)).toContain(`{"views":{${views}},`);
  });

  it('gives a week that begins before its period the days of the period', async () => {
    const { ask } = await storeOf(
      ['2026-11-17T10:00:00.000Z', '2026-11-19T10:00:00.000Z'].map((time) => view(time)),
    );
    expect(await ask('from=2026-11-18&interval=week')).toContain('"views":{"2026-11-16":1}');
  });
});

describe('the tock of the site', () => {
  const at = '2026-11-23T10:00:00.000Z';
  const events = [
    view(at, { item: 'datasets/a' }),
    view(at, { item: 'datasets/b' }),
    view(at, { item: 'documents/c' }),
    view(at, { item: '10' }),
    eventAt(at, 'default', { 'url.path': '/' }),
  ];

  it('counts all items, and events without one', async () => {
    const { site } = await storeOf(events);
    expect(await site()).toContain('"views":{"2026-11-23":5}');
  });

  it('counts the items of a prefix together', async () => {
    const { site } = await storeOf(events);
    expect(await site('prefix=datasets/')).toContain('"views":{"2026-11-23":2}');
    expect(await site('prefix=data%25')).toBe(empty);
  });

  it('answers several items by id, in the order asked', async () => {
    const { site } = await storeOf(events);
    expect(await site('item=datasets/a&item=never&item=10')).toBe(
      `{"datasets/a":{"views":{"2026-11-23":1},"downloads":{},"referers":{}},"never":${empty},` +
        '"10":{"views":{"2026-11-23":1},"downloads":{},"referers":{}}}',
    );
  });
});

describe('apps', () => {
  const at = '2026-11-23T10:00:00.000Z';
  const of = (app: string, fields: Partial<StoredEvent> = {}): StoredEvent =>
    eventAt(at, app, { item: 'trees', ...fields });

  it('need no name while there is one', async () => {
    const { ask } = await storeOf([of('shop')]);
    expect(await ask()).toContain('"views":{"2026-11-23":1}');
    expect(await ask('app=shop')).toContain('"views":{"2026-11-23":1}');
    expect(await ask('app=other')).toBe(empty);
  });

  it('must be named once there are several', async () => {
    const { ask } = await storeOf([of('shop'), of('docs'), of('docs', { item: 'roads' })]);
    await expect(ask()).rejects.toMatchObject({
      code: 'bad-request',
      message: 'there are several apps: add app= with one of docs, shop',
    });
    expect(await ask('app=docs')).toContain('"views":{"2026-11-23":1}');
  });

  it('are never mixed when a second one comes, and must be named a minute later', async () => {
    const { ask, store } = await storeOf([of('shop')]);
    await ask();
    await take(store, [of('docs')]);
    expect(await ask()).toContain('"views":{"2026-11-23":1}');
    await expect(ask('', 'trees', now + 60_000)).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('are found at once in a store that was empty', async () => {
    const { ask, store } = await storeOf([]);
    expect(await ask()).toBe(empty);
    await take(store, [of('shop')]);
    expect(await ask()).toContain('"views":{"2026-11-23":1}');
  });

  it('are not made up by bots', async () => {
    const { ask } = await storeOf([of('shop'), of('made up', { bot: true })]);
    expect(await ask()).toContain('"views":{"2026-11-23":1}');
  });

  it('that the configuration lists are the only ones that count, where one has events', async () => {
    const { store } = await storeOf([of('shop'), of('shop'), of('made up', { item: 'roads' })]);
    const only = async (sites: readonly string[], reader: Reader): Promise<unknown> =>
      onlyApp(reader, now, sites);
    // Each reader is looked at anew.
    const reader = (): Reader => ({
      query: (query) => store.query(query),
      scan: (scan) => store.scan(scan),
    });
    expect(await only(['shop', 'docs'], reader())).toBe('shop');
    await expect(only(['docs'], reader())).rejects.toThrow(/one of made up, shop/);
    await expect(only(['made up', 'shop'], reader())).rejects.toThrow(/one of made up, shop/);
  });
});

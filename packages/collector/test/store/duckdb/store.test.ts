import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore, Reject } from '../../../src/event-store.ts';
import { type DuckdbOptions, openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { batchOf, batchOfLines, eventAt, journaled } from '../journal-lines.ts';

const noon = '2026-11-23T12:00:00.000Z';
const always = { from: 0, to: Date.UTC(2100, 0, 1) };

let dataDir = '';
const opened: EventStore[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-store-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

function open(folder = dataDir, options: Partial<DuckdbOptions> = {}): EventStore {
  const store = openDuckdbStore({ dataDir: folder, ...options });
  opened.push(store);
  return store;
}

async function count(store: EventStore): Promise<unknown> {
  const [row] = await store.query({ measures: { n: { kind: 'count' } }, range: always });
  return row?.['n'];
}

const ignoreRejects = (): Promise<void> => Promise.resolve();

describe('the file', () => {
  it('keeps everything when it is closed and opened again', async () => {
    const first = open();
    await first.append(batchOf('j', 1, [eventAt(noon, 'app')]), ignoreRejects);
    await first.close();
    const second = open();
    expect(await second.cursor('j')).toBe(2);
    expect(await count(second)).toBe(1);
  });

  it('is opened anew after so many events, beside questions and upkeep', async () => {
    const store = open(dataDir, { renewedAfterEvents: 2 });
    const counts: unknown[] = [];
    const asking = Promise.all(
      Array.from({ length: 30 }, async () => {
        counts.push(await count(store));
        await store.maintain(new AbortController().signal);
      }),
    );
    for (let sequence = 1; sequence <= 30; sequence++) {
      const batch = batchOf('j', sequence, [eventAt(noon, 'app', { 'event.id': `${sequence}` })]);
      expect(await store.append(batch, ignoreRejects)).toMatchObject({ stored: 1 });
    }
    await asking;
    const again = batchOf('k', 1, [eventAt(noon, 'app', { 'event.id': '7' })]);
    expect(await store.append(again, ignoreRejects)).toMatchObject({ duplicates: 1 });
    expect(counts).toHaveLength(30);
    expect(await count(store)).toBe(30);
  });

  it('lies in a folder that is made when missing, whatever its name', async () => {
    const folder = join(dataDir, 'it\'s a "folder"', 'ü');
    const store = open(folder);
    await store.append(batchOf('j', 1, [eventAt(noon, 'app')]), ignoreRejects);
    expect(await count(store)).toBe(1);
    await store.close();
  });

  it('gets the columns that a version before did not know', async () => {
    await open().append(batchOf('j', 1, [eventAt(noon, 'app')]), ignoreRejects);
    await opened.pop()?.close();
    const instance = await DuckDBInstance.create(join(dataDir, 'metronome.duckdb'));
    const connection = await instance.connect();
    await connection.run('ALTER TABLE events DROP COLUMN referer');
    connection.closeSync();
    instance.closeSync();

    const store = open();
    const later = eventAt(noon, 'app', { referer: 'example.org' });
    await store.append(batchOf('j', 2, [later]), ignoreRejects);
    const rows = await store.query({
      measures: { n: { kind: 'count' } },
      dimensions: { referer: { kind: 'field', field: 'referer', missing: '(none)' } },
      range: always,
    });
    expect(rows).toEqual([
      { referer: '(none)', n: 1 },
      { referer: 'example.org', n: 1 },
    ]);
  });

  it('from a back-up knows what comes back from what was given its place since', async () => {
    const store = open();
    await store.append(batchOf('j', 1, [eventAt(noon, 'app')]), ignoreRejects);
    const lost = eventAt('2026-11-23T11:00:00.000Z', 'app', { 'event.id': '~j-1' });
    expect(await store.append(batchOf('j', 2, [lost]), ignoreRejects)).toMatchObject({ stored: 1 });
  });

  it('is refused with one sentence when it is no database', async () => {
    await writeFile(join(dataDir, 'metronome.duckdb'), 'not a database'.repeat(1000));
    await expect(open().check()).rejects.toMatchObject({ name: 'MetronomeError' });
  });

  it('cannot be used after it is closed', async () => {
    const store = open();
    await store.check();
    await store.close();
    await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('answers while it takes in', async () => {
    const store = open();
    const counts: unknown[] = [];
    const journals = Array.from({ length: 8 }, (_, n) => `j${n}`);
    await Promise.all(
      journals.map(async (journal) => {
        await store.append(batchOf(journal, 1, [eventAt(noon, 'app')]), ignoreRejects);
        counts.push(await count(store));
      }),
    );
    expect(counts.at(-1)).toBe(8);
  });
});

describe('lines that DuckDB cannot take', () => {
  const good = journaled('j', 1, [eventAt(noon, 'app', { item: 'good' })])[0];
  const wrong: readonly [string, object | string, RegExp][] = [
    ['a number that is text', { duration: 'soon' }, /duration is not a number/],
    ['a time that is none', { 'event.created': 'soon' }, /event.created is not a time/],
    ['a day that does not exist', { '@timestamp': '2026-13-01T00:00:00.000Z' }, /@timestamp/],
    ['tags that are no list', { tags: 'bot' }, /tags is not a list/],
    ['no app', { 'service.name': undefined }, /service.name/],
    ['a list', '[1]', /not an object/],
    ['a number', '1', /not an object/],
    ['half a line', '{"item": "a', /not JSON/],
  ];

  it.each(wrong)('are rejects: %s', async (_, part, reason) => {
    const line = typeof part === 'string' ? part : JSON.stringify({ ...good, ...part });
    const next = JSON.stringify({ ...good, 'journal.sequence': 3 });
    const rejects: Reject[] = [];
    const store = open();
    const appended = await store.append(
      batchOfLines('j', 1, [JSON.stringify(good), line, next]),
      async (some) => void rejects.push(...some),
    );
    expect(appended).toEqual({ stored: 2, duplicates: 0, rejected: 1 });
    expect(rejects).toEqual([{ sequence: 2, reason: expect.stringMatching(reason) }]);
  });

  it.each([{ beside: good }, { beside: 'not JSON' }])(
    'are for delivery to find where they look right, beside $beside',
    async ({ beside }) => {
      // Half of a surrogate pair, which JSON allows and UTF-8 does not.
      const line = JSON.stringify({ ...good, item: '\ud800' });
      const store = open();
      const appended = store.append(
        batchOfLines('j', 1, [line, JSON.stringify(beside)]),
        ignoreRejects,
      );
      await expect(appended).rejects.toMatchObject({ code: 'bad-request' });
      expect(await store.cursor('j')).toBe(1);
    },
  );

  it('may be longer than any usual one', async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 256 }, (_, n) => [`key-${n}`, 'ü\u0001'.repeat(4000)]),
    );
    const store = open();
    const events = [eventAt(noon, 'app', { labels }), eventAt(noon, 'app')];
    expect(await store.append(batchOf('j', 1, events), ignoreRejects)).toMatchObject({ stored: 2 });
  });
});

describe('an erasure', () => {
  const marker = 'a-secret-of-ann-7f3a';
  const traces = async (of = marker): Promise<readonly string[]> => {
    const names = await readdir(dataDir);
    const contents = await Promise.all(names.map((name) => readFile(join(dataDir, name))));
    return names.filter((_, index) => contents[index]?.includes(of));
  };

  it('leaves no byte in the file', async () => {
    const store = open();
    const views = Array.from({ length: 30_000 }, (_, n) =>
      eventAt(noon, 'app', {
        item: `item-${n % 100}`,
        title: `Title ${n} ${n % 500 === 0 ? `${n}-${marker}` : ''}`,
        'user.id': n % 500 === 0 ? `ann-${marker}` : 'bob',
        labels: { n: n % 500 === 0 ? marker : String(n) },
      }),
    );
    await store.append(batchOf('j', 1, views), ignoreRejects);
    // A small batch, which goes through the log.
    await store.append(batchOf('j', 30_001, views.slice(0, 600)), ignoreRejects);
    expect(await traces()).not.toEqual([]);

    expect(await store.erase({ visitor: `ann-${marker}` })).toBe(62);
    expect(await traces()).toEqual([]);
    expect(await count(store)).toBe(30_538);
    await store.close();
    expect(await traces()).toEqual([]);
  });

  it('leaves no value in what the engine notes of columns, the first eight bytes of extremes', async () => {
    const store = open();
    for (let batch = 0; batch < 3; batch++) {
      const views = Array.from({ length: 3_000 }, (_, n) =>
        eventAt(noon, 'app', {
          item: n === 17 ? 'aaa-item-of-ann' : `x${n % 37}`,
          'user.id': n % 600 === 0 ? '4711' : `v${n % 30}`,
        }),
      );
      await store.append(batchOf('j', 1 + batch * 3_000, views), ignoreRejects);
      await store.maintain(new AbortController().signal);
    }
    await store.close();
    const again = open();
    expect([await traces('4711'), await traces('aaa-item')]).not.toContainEqual([]);
    expect(await again.erase({ visitor: '4711' })).toBe(15);
    expect(await again.erase({ item: 'aaa-item-of-ann' })).toBe(3);
    expect([await traces('4711'), await traces('aaa-item')]).toEqual([[], []]);
    await again.close();
    expect([await traces('4711'), await traces('aaa-item')]).toEqual([[], []]);
  });

  it('waits for no export that is under way', async () => {
    const store = open();
    const view = (visitor: string) => eventAt(noon, 'app', { 'user.id': visitor });
    await store.append(batchOf('j', 1, [view(marker), view('bob'), view('bill')]), ignoreRejects);
    const exported = store.export({ app: 'app' })[Symbol.asyncIterator]();
    await exported.next();
    expect(await store.erase({ visitor: marker })).toBe(1);
    expect(await traces()).toEqual([]);
    expect(await count(store)).toBe(2);
    while (!(await exported.next()).done);
  });
});

describe('an export', () => {
  it('is of any size and in order, whatever happened at one instant', async () => {
    const store = openDuckdbStore({ dataDir, memoryMb: 64 });
    opened.push(store);
    const times = [...Array<number>(5_000).fill(0), ...Array.from({ length: 5_000 }, (_, n) => n)];
    const events = times.map((time, n) =>
      eventAt(new Date(Date.parse(noon) + time * 10_000).toISOString(), 'app', {
        'error.stack_trace': String(n).repeat(1000),
      }),
    );
    for (let first = 0; first < events.length; first += 2_500) {
      const some = events.slice(first, first + 2_500).toReversed();
      await store.append(batchOf('j', first + 1, some), ignoreRejects);
    }
    let last = { time: '', sequence: 0 };
    const seen = new Set<unknown>();
    for await (const event of store.export({ app: 'app' })) {
      const next = {
        time: String(event['@timestamp']),
        sequence: Number(event['journal.sequence']),
      };
      const isAfter =
        next.time > last.time || (next.time === last.time && next.sequence > last.sequence);
      if (!isAfter) expect(next).toEqual('after the one before');
      seen.add(event['error.stack_trace']);
      last = next;
    }
    expect(seen.size).toBe(events.length);
  });
});

describe('a message for callers', () => {
  it('holds no path', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const error = await open(join(file, 'folder'))
      .check()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(String(error)).not.toContain(dataDir);
  });
});

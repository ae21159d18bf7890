import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MetronomeError } from '../../src/errors.ts';
import type { Disk, DiskFile } from '../../src/journal/disk.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { nodeDisk } from '../../src/journal/node-disk.ts';
import { eventually, EVERYTHING, linesOf, openTestJournal, temporaryFolder } from './open.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const HOUR_MS = 3_600_000;

/** Small: the third append of this many bytes does not fit. */
const FULL_AT = 4000;
const long = linesOf(1, { pad: 'x'.repeat(1300) });

async function refusal(journal: Journal): Promise<MetronomeError> {
  const error: unknown = await journal.append(long).catch((reason: unknown) => reason);
  if (!(error instanceof MetronomeError)) throw new Error(`Not refused: ${String(error)}`);
  return error;
}

/** Its calls, whatever object they are called on. */
function boundTo(file: DiskFile): DiskFile {
  return {
    append: (bytes) => file.append(bytes),
    read: (buffer, position) => file.read(buffer, position),
    size: () => file.size(),
    truncate: (bytes) => file.truncate(bytes),
    close: () => file.close(),
  };
}

it('is text: without its lines that begin with # it is NDJSON with places', async () => {
  const folder = await temporaryFolder();
  const journal = await openTestJournal({ folder });
  await journal.append(['{"@timestamp":"2026-11-23T22:00:00.000Z","title":"# ä 🎉 \\n"}']);
  await journal.append(linesOf(2));
  await journal.close();
  const text = await readFile(join(folder, '0000000000000001.journal'), 'utf8');
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && line !== '');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { 'journal.collector': 'abc', 'journal.segment': 1, 'journal.sequence': 1, title: '# ä 🎉 \n' },
    { 'journal.sequence': 2, n: 0 },
    { 'journal.sequence': 3, n: 1 },
  ]);
  expect(text.split('\n', 1)[0]).toBe(
    '#metronome-journal 1 {"collector":"abc","segment":1,"created":"2026-11-23T22:00:00.000Z"}',
  );
});

it('has nothing of an append that was not committed, whatever waits before and comes after', async () => {
  const folder = await temporaryFolder();
  const journal = await openTestJournal({ folder });
  const before = journal.append(['{"n":1}', '{"n":2}']);
  journal.begin().add('{"n":"dropped"}');
  const { add, commit } = journal.begin();
  add('{"n":3}');
  expect(await Promise.all([before, commit()])).toEqual([
    { first: 1, last: 2 },
    { first: 3, last: 3 },
  ]);
  journal.begin().add('{"n":"dropped too"}');
  await journal.close();
  const text = await readFile(join(folder, '0000000000000001.journal'), 'utf8');
  expect(text).not.toContain('dropped');
});

it('commits lines of any length, many and few, beside each other', async () => {
  const journal = await openTestJournal({ journalBytesMax: 64 * 1024 ** 2 });
  const reader = journal.consumer('reader');
  const appends = [1, 3_000, 2, 9_000, 1].map((count, n) =>
    linesOf(count, { append: n, pad: 'ä🎉x'.repeat(n * 100) }),
  );
  await Promise.all(appends.map((lines) => journal.append(lines)));
  let text = '';
  for (let batch = await reader.read(EVERYTHING); batch; batch = await reader.read(EVERYTHING)) {
    text += batch.lines.toString();
  }
  const read = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(read.map((event) => event['journal.sequence'])).toEqual(read.map((_, index) => index + 1));
  expect(read).toMatchObject(appends.flat().map((line) => JSON.parse(line) as object));
  await journal.close();
});

it('commits all appends that wait at once, in their order', async () => {
  const journal = await openTestJournal();
  const ranges = await Promise.all([1, 2, 3].map((count) => journal.append(linesOf(count))));
  expect(ranges).toEqual([
    { first: 1, last: 1 },
    { first: 2, last: 3 },
    { first: 4, last: 6 },
  ]);
  expect(journal.commits).toBe(1);
  expect(journal.last).toBe(6);
  await journal.close();
});

it('keeps its id and its sequence when all its segments are gone', async () => {
  const folder = await temporaryFolder();
  const journal = await openTestJournal({ folder });
  await journal.append(linesOf(5));
  journal.consumer('store').release(6);
  await journal.close();
  expect(await readdir(folder)).not.toContain('0000000000000001.journal');
  const again = await openTestJournal({ folder, newId: () => 'other' });
  expect(again.collector).toBe('abc');
  expect(await again.append(linesOf(1))).toEqual({ first: 6, last: 6 });
  await again.close();
});

it('gives a segment to readers also while its file is being closed', async () => {
  const [closing, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slowToClose: Disk = {
    ...nodeDisk,
    async create(path) {
      const file = await nodeDisk.create(path);
      const close = (): Promise<void> => {
        closing.resolve();
        return closed.promise.then(() => file.close());
      };
      return { ...boundTo(file), close };
    },
  };
  const journal = await openTestJournal({ disk: slowToClose });
  const consumer = journal.consumer('store');
  await journal.append(linesOf(3));
  const rolled = journal.roll();
  await closing.promise;
  const batch = await consumer.read(EVERYTHING);
  expect(batch).toMatchObject({ segment: 1, first: 1, last: 3 });
  expect(batch).not.toHaveProperty('damage');
  expect(journal.segments()).toMatchObject([{ segment: 1, last: 3 }]);
  closed.resolve();
  await rolled;
  await journal.close();
});

it('keeps a segment until every consumer has released it', async () => {
  const journal = await openTestJournal();
  const store = journal.consumer('store');
  const archive = journal.consumer('archive');
  await journal.append(linesOf(3));
  await journal.roll();
  store.release(4);
  archive.release(3);
  await journal.append(linesOf(3));
  await journal.roll();
  expect(journal.present().map(({ segment }) => segment)).toEqual([1, 4]);
  archive.release(4);
  await journal.append(linesOf(3));
  await journal.roll();
  await eventually(() => journal.present().map(({ segment }) => segment)).toEqual([4, 7]);
  expect(journal.segments().map(({ last }) => last)).toEqual([3, 6, 9]);
  await journal.close();
});

it('refuses what does not fit, and goes on by itself when consumers have released', async () => {
  const journal = await openTestJournal({ journalBytesMax: FULL_AT });
  const store = journal.consumer('store');
  await journal.append(long);
  await journal.append(long);
  const error = await refusal(journal);
  expect(error).toMatchObject({ code: 'unavailable', retryAfterS: 1 });
  expect(error.message).toContain('full');
  expect(journal.refusal).toBe(error.message);
  store.release(2);
  await eventually(() => journal.bytes).toBeLessThan(2000);
  expect(await journal.append(long)).toEqual({ first: 3, last: 3 });
  await journal.close();
});

it('refuses while the disk has no room, and goes on by itself when it has', async () => {
  const disk = new SimulatedDisk();
  const clock = new SimulatedClock();
  const journal = await openTestJournal({ folder: '/journal', disk: disk.mount(), clock });
  await journal.append(long);
  disk.capacityBytes = disk.usedBytes + 700;
  const error = await refusal(journal);
  expect(error).toMatchObject({ code: 'unavailable', message: 'The disk is full.' });
  expect(journal.refusal).toBe('The disk is full.');
  disk.heal();
  clock.advance(1001);
  expect(journal.refusal).toBeUndefined();
  expect(await journal.append(long)).toEqual({ first: 2, last: 2 });
  const batches = journal.consumer('store');
  expect(await batches.read(EVERYTHING)).toMatchObject({ first: 1, last: 1 });
  expect(await batches.read(EVERYTHING)).toMatchObject({ first: 2, last: 2 });
  await journal.close();
});

it('leaves the room that the store needs', async () => {
  const disk = new SimulatedDisk();
  disk.capacityBytes = 10_000;
  const clock = new SimulatedClock();
  const options = { folder: '/journal', disk: disk.mount(), clock, freeBytesMin: 9999 };
  const journal = await openTestJournal(options);
  expect((await refusal(journal)).message).toBe('The disk is full.');
  // Long after the last append has been refused.
  clock.advance(3_600_000);
  expect([journal.refusal, await journal.check()]).toEqual([undefined, 'The disk is full.']);
  disk.capacityBytes = 100_000;
  expect(await journal.check()).toBeUndefined();
  await journal.close();
});

it('refuses what would wait for a slow disk in too much memory', async () => {
  const journal = await openTestJournal({ journalBytesMax: 1024 ** 3 });
  const huge = [`{"pad":"${'x'.repeat(40 * 1024 * 1024)}"}`];
  const first = journal.append(huge);
  await expect(journal.append(huge)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await first).toEqual({ first: 1, last: 1 });
  await journal.close();
});

it('closes a segment when it is old, and when the UTC day is over', async () => {
  const clock = new SimulatedClock(Date.parse('2026-11-23T22:30:00Z'));
  const journal = await openTestJournal({ clock });
  const store = journal.consumer('store');
  const signal = new AbortController().signal;
  await journal.append(linesOf(1));
  clock.advance(HOUR_MS);
  await store.waitForClosed(1, signal);
  await journal.append(linesOf(1));
  clock.advance(HOUR_MS / 2);
  await store.waitForClosed(2, signal);
  await journal.append(linesOf(1));
  expect(
    journal.segments().map(({ created, last }) => [new Date(created).toISOString(), last]),
  ).toEqual([
    ['2026-11-23T22:30:00.000Z', 1],
    ['2026-11-23T23:30:00.000Z', 2],
    ['2026-11-24T00:00:00.000Z', 3],
  ]);
  await journal.close();
});

it('closes a segment when it is large', async () => {
  const journal = await openTestJournal({ segmentBytesMax: 1000 });
  for (let index = 0; index < 3; index++) await journal.append(long);
  expect(journal.segments().map(({ segment }) => segment)).toEqual([1, 2, 3]);
  await journal.close();
});

it('wakes who waits for an event, and who stops waiting', async () => {
  const journal = await openTestJournal();
  const store = journal.consumer('store');
  const stopping = new AbortController();
  const stopped = store.waitFor(100, stopping.signal);
  const arrived = store.waitFor(2, new AbortController().signal);
  await journal.append(linesOf(1));
  await journal.append(linesOf(1));
  await arrived;
  stopping.abort();
  await stopped;
  await journal.close();
});

it('is owned by one process', async () => {
  const folder = await temporaryFolder();
  const journal = await openTestJournal({ folder });
  await expect(openTestJournal({ folder })).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining(`pid ${process.pid}`),
  });
  await journal.close();
  await (await openTestJournal({ folder })).close();
});

it('says when its folder cannot be used', async () => {
  const folder = join(await temporaryFolder(), 'file');
  await writeFile(folder, 'in the way');
  await expect(openTestJournal({ folder })).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('cannot be used: EEXIST'),
  });
});

it('takes no more when it is closed, and loses nothing that it had taken', async () => {
  const folder = await temporaryFolder();
  const journal = await openTestJournal({ folder });
  const appending = journal.append(linesOf(2));
  const closing = journal.close();
  await expect(journal.append(linesOf(1))).rejects.toMatchObject({ code: 'unavailable' });
  expect(await appending).toEqual({ first: 1, last: 2 });
  await closing;
  const again = await openTestJournal({ folder });
  expect(again.last).toBe(2);
  await again.close();
});

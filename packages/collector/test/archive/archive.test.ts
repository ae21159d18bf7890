import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { Archive } from '../../src/archive/archive.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { eventually, linesOf, openTestJournal, temporaryFolder } from '../journal/open.ts';
import { SimulatedClock } from '../journal/simulated-clock.ts';

const RETRY_MS = 10_000;

function archiveOf(journal: Journal, folder: string, clock = new SimulatedClock()): Archive {
  const archive = new Archive({ journal, folder, clock, log: pino({ level: 'silent' }) });
  archive.start();
  onTestFinished(() => archive.stop());
  return archive;
}

async function appendSegment(journal: Journal, count: number): Promise<void> {
  await journal.append(linesOf(count));
  await journal.roll();
}

async function archivedTo(archive: Archive, next: number): Promise<void> {
  await eventually(() => archive.status).toEqual({ next });
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
}

async function sequencesIn(path: string): Promise<number[]> {
  const text = gunzipSync(await readFile(path)).toString();
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as Record<string, number>)['journal.sequence'] ?? 0);
}

it('copies each closed segment as gzip NDJSON under the day of its receipt', async () => {
  const folder = await temporaryFolder();
  const clock = new SimulatedClock(Date.parse('2026-11-23T23:59:00Z'));
  const journal = await openTestJournal({ clock });
  const archive = archiveOf(journal, folder);
  await appendSegment(journal, 3);
  clock.advance(60_000);
  await appendSegment(journal, 2);
  await archivedTo(archive, 6);
  await journal.append(linesOf(1));
  expect(await filesIn(folder)).toEqual([
    join(folder, '2026/11/23/abc-0000000000000001.ndjson.gz'),
    join(folder, '2026/11/24/abc-0000000000000004.ndjson.gz'),
  ]);
  const [first = '', second = ''] = await filesIn(folder);
  expect(await sequencesIn(first)).toEqual([1, 2, 3]);
  expect(await sequencesIn(second)).toEqual([4, 5]);
  expect(journal.present().map(({ segment }) => segment)).toEqual([6]);
  await archive.stop();
  await journal.close();
});

it('goes on after the last segment that it has written, and writes none anew', async () => {
  const folder = await temporaryFolder();
  const journalFolder = await temporaryFolder();
  const before = await openTestJournal({ folder: journalFolder });
  before.consumer('store');
  const first = archiveOf(before, folder);
  await appendSegment(before, 3);
  await archivedTo(first, 4);
  await first.stop();
  await appendSegment(before, 2);
  await before.close();
  const [path = ''] = await filesIn(folder);
  // A crash leaves such a file; it must not count as archived.
  await writeFile(path.replace('0001.ndjson.gz', '0004.ndjson.gz.part'), 'torn');
  await writeFile(path, 'not written anew');
  const after = await openTestJournal({ folder: journalFolder });
  after.consumer('store');
  const second = archiveOf(after, folder);
  await archivedTo(second, 6);
  expect(await readFile(path, 'utf8')).toBe('not written anew');
  expect(await sequencesIn((await filesIn(folder))[1] ?? '')).toEqual([4, 5]);
  expect(await filesIn(folder)).toHaveLength(2);
  await second.stop();
  await after.close();
});

it('begins with what is still there when it is new', async () => {
  const journalFolder = await temporaryFolder();
  const before = await openTestJournal({ folder: journalFolder });
  const store = before.consumer('store');
  await appendSegment(before, 3);
  store.release(4);
  await before.close();
  const after = await openTestJournal({ folder: journalFolder });
  const folder = await temporaryFolder();
  const archive = archiveOf(after, folder);
  await appendSegment(after, 2);
  await archivedTo(archive, 6);
  expect(await filesIn(folder)).toEqual([expect.stringContaining('abc-0000000000000004')]);
  await archive.stop();
  await after.close();
});

it('keeps the segment while its folder cannot be written, and says why', async () => {
  const folder = join(await temporaryFolder(), 'archive');
  await writeFile(folder, 'in the way');
  const clock = new SimulatedClock();
  const journal = await openTestJournal();
  const archive = archiveOf(journal, folder, clock);
  await appendSegment(journal, 3);
  await eventually(() => archive.status.lastError).toContain('EEXIST');
  expect(journal.present()).toHaveLength(1);
  await rm(folder);
  await mkdir(folder);
  await eventually(() => clock.nextWakeMs).toBe(RETRY_MS);
  clock.advance(RETRY_MS);
  await archivedTo(archive, 4);
  expect(await filesIn(folder)).toHaveLength(1);
  await archive.stop();
  await journal.close();
});

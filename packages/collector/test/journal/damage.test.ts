import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JournalBatch } from '../../src/journal/consumer.ts';
import { EVERYTHING, linesOf, openTestJournal, temporaryFolder } from './open.ts';

const SEGMENT = '0000000000000001.journal';

/** A folder with a closed segment of three frames of two events, and one more of one event. */
async function writtenFolder(): Promise<string> {
  const folder = await temporaryFolder();
  const journal = await openTestJournal({ folder });
  for (let frame = 0; frame < 3; frame++) await journal.append(linesOf(2));
  await journal.roll();
  await journal.append(linesOf(1));
  await journal.close();
  return folder;
}

async function readAll(folder: string): Promise<JournalBatch[]> {
  const journal = await openTestJournal({ folder });
  const store = journal.consumer('store');
  const batches: JournalBatch[] = [];
  for (;;) {
    const batch = await store.read(EVERYTHING);
    if (batch === undefined) break;
    batches.push({ ...batch, lines: Buffer.from(batch.lines) });
  }
  await journal.close();
  return batches;
}

function ranges(batches: readonly JournalBatch[]): unknown[] {
  return batches.map(({ first, last, damage }) =>
    damage === undefined ? [first, last] : [first, last, damage.replace(/: .*/u, '')],
  );
}

/** Changes the byte after a mark in the file of the first segment. */
async function spoil(folder: string, mark: string): Promise<void> {
  const path = join(folder, SEGMENT);
  const bytes = await readFile(path);
  const at = bytes.indexOf(mark) + mark.length;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(path, bytes);
}

describe('damage on the disk', () => {
  it('is named, and costs no more than its frame', async () => {
    const folder = await writtenFolder();
    await spoil(folder, '"journal.sequence":3');
    expect(ranges(await readAll(folder))).toEqual([
      [1, 2],
      [3, 4, 'The journal is damaged'],
      [5, 6],
      [7, 7],
    ]);
  });

  it('of a frame header is named likewise', async () => {
    const folder = await writtenFolder();
    await spoil(folder, 'first=0000000000000001 events=');
    expect(ranges(await readAll(folder))).toEqual([
      [1, 2, 'The journal is damaged'],
      [3, 6],
      [7, 7],
    ]);
  });

  it('of a segment header costs nothing', async () => {
    const folder = await writtenFolder();
    await spoil(folder, '#metro');
    expect(ranges(await readAll(folder))).toEqual([
      [1, 6],
      [7, 7],
    ]);
  });

  it('is kept to look at when its segment is released', async () => {
    const folder = await writtenFolder();
    await spoil(folder, '"journal.sequence":3');
    const journal = await openTestJournal({ folder });
    const store = journal.consumer('store');
    while ((await store.read(EVERYTHING)) !== undefined);
    store.release(store.next);
    await journal.close();
    const names = await readdir(folder);
    expect(names.filter((name) => name.includes('.journal'))).toEqual([`${SEGMENT}.damaged`]);
  });

  it('that cuts a closed segment names what is gone', async () => {
    const folder = await writtenFolder();
    const path = join(folder, SEGMENT);
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.indexOf('"journal.sequence":5')));
    expect(ranges(await readAll(folder))).toEqual([
      [1, 4],
      [5, 6, 'The journal is damaged'],
      [7, 7],
    ]);
  });

  it('that takes a whole segment names its events', async () => {
    const folder = await writtenFolder();
    await rm(join(folder, SEGMENT));
    expect(ranges(await readAll(folder))).toEqual([
      [1, 6, 'The event is no longer in the journal.'],
      [7, 7],
    ]);
  });

  it('in the middle of the newest segment is not taken for a torn tail', async () => {
    const folder = await temporaryFolder();
    const journal = await openTestJournal({ folder });
    for (let frame = 0; frame < 3; frame++) await journal.append(linesOf(2));
    await journal.close();
    // As if the process had died: without its ledger line the segment is read at the start.
    const ledger = await readFile(join(folder, 'ledger'), 'utf8');
    await writeFile(join(folder, 'ledger'), `${ledger.split('\n', 1)[0]}\n`);
    await spoil(folder, '"journal.sequence":3');
    expect(ranges(await readAll(folder))).toEqual([
      [1, 2],
      [3, 4, 'The journal is damaged'],
      [5, 6],
    ]);
  });
});

describe('a folder that cannot be read', () => {
  it('is refused when its ledger is missing', async () => {
    const folder = await writtenFolder();
    await rm(join(folder, 'ledger'));
    await expect(openTestJournal({ folder })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('its ledger is missing'),
    });
  });

  it('is refused when its ledger is damaged', async () => {
    const folder = await writtenFolder();
    await writeFile(join(folder, 'ledger'), '{"journal":1,"collector":"abc"}\n{"segment":\n');
    await expect(openTestJournal({ folder })).rejects.toMatchObject({ code: 'config' });
  });

  it('is refused when it is of another version', async () => {
    const folder = await temporaryFolder();
    await mkdir(folder, { recursive: true });
    await (await openTestJournal({ folder })).close();
    await writeFile(join(folder, SEGMENT), '#metronome-journal 2 {}\n');
    await expect(openTestJournal({ folder })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('version 2'),
    });
  });
});

import { MetronomeError } from '../errors.ts';
import type { Disk } from './disk.ts';
import { JOURNAL_VERSION, segmentVersion } from './frame.ts';
import type { JournalOptions } from './journal.ts';
import { Ledger, LEDGER_NAME, type Segment } from './ledger.ts';
import { recoverSegment, segmentPath, segmentsAmong } from './segment-file.ts';

/**
 * Reads what a journal's folder holds, and completes the ledger from the segments that a process
 * left open when it died.
 *
 * @returns the ledger, and the segments whose files are there, ascending.
 * @throws MetronomeError `config` when the folder is not a journal that this program can read.
 */
export async function recover({
  disk,
  folder,
  log,
  newId,
}: Pick<JournalOptions, 'disk' | 'folder' | 'log' | 'newId'>): Promise<{
  ledger: Ledger;
  present: Segment[];
}> {
  const files = segmentsAmong(await disk.list(folder));
  const ledger = await Ledger.open(disk, folder, () => {
    if (files.length === 0) return newId();
    const message = `${folder} holds segments, but its ${LEDGER_NAME} is missing: restore it, or move the segments away to begin a new journal.`;
    throw new MetronomeError('config', message);
  });
  // A process that died may have left names that are not durable.
  await disk.syncFolder(folder);
  const known = new Map(ledger.segments.map((segment) => [segment.segment, segment]));
  const present: Segment[] = [];
  for (const [index, first] of files.entries()) {
    await checkVersion(disk, segmentPath(folder, first));
    const found = known.get(first) ?? (await recoverSegment(disk, folder, first, files[index + 1]));
    if (found === undefined) {
      log.warn({ segment: first }, 'a segment without acknowledged events is removed');
      await disk.remove(segmentPath(folder, first));
      continue;
    }
    present.push(found);
    if (!known.has(first)) ledger.add(found);
  }
  await ledger.flush();
  return { ledger, present };
}

async function checkVersion(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path);
  try {
    const start = Buffer.alloc(64);
    await file.read(start, 0);
    const version = segmentVersion(start) ?? JOURNAL_VERSION;
    if (version === JOURNAL_VERSION) return;
    const message = `${path} is of version ${version}; this program reads version ${JOURNAL_VERSION}.`;
    throw new MetronomeError('config', message);
  } finally {
    await file.close();
  }
}

import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { decodeFrame, findFrame, segmentHeaderLength } from './frame.ts';
import type { Segment } from './ledger.ts';

const SUFFIX = '.journal';
const NAME = /^(\d{16})\.journal$/u;

export function segmentPath(folder: string, segment: number): string {
  return join(folder, `${String(segment).padStart(16, '0')}${SUFFIX}`);
}

/** First sequences of the segment files among these names, ascending. */
export function segmentsAmong(names: readonly string[]): number[] {
  const found = names.map((name) => NAME.exec(name)?.[1]);
  return found
    .filter((digits) => digits !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b);
}

/**
 * Reads a segment that was not closed properly and cuts what was never acknowledged: a torn tail,
 * and frames from `next` on (where a later segment begins, they were refused). A frame that fails
 * its checksum but has a whole one after it is no torn tail, since each commit is durable before
 * the next begins: it stays, for readers to find damaged.
 *
 * @returns undefined when no acknowledged frame is in it.
 */
export async function recoverSegment(
  disk: Disk,
  folder: string,
  segment: number,
  next = Number.POSITIVE_INFINITY,
): Promise<Segment | undefined> {
  const file = await disk.open(segmentPath(folder, segment));
  try {
    const bytes = Buffer.allocUnsafeSlow(await file.size());
    await file.read(bytes, 0);
    const found = walk(bytes, segment, next);
    // Also where there is nothing to cut: what is read may not have reached the disk yet.
    if (found !== undefined) await file.truncate(found.bytes);
    return found;
  } finally {
    await file.close();
  }
}

function walk(bytes: Buffer, segment: number, next: number): Segment | undefined {
  let found: Segment | undefined;
  for (let at = segmentHeaderLength(bytes); at < bytes.length;) {
    const frame = decodeFrame(bytes, at);
    if (frame === undefined) {
      const later = findFrame(bytes.subarray(at), segment);
      if (later === undefined) break;
      at += later.at;
      continue;
    }
    if (frame.first >= next) break;
    const last = frame.first + frame.events - 1;
    found = { segment, last, bytes: frame.end, created: found?.created ?? frame.time };
    at = frame.end;
  }
  return found;
}

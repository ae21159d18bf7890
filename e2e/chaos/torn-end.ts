import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameEncoder } from '../../packages/collector/src/journal/frame.ts';
import { segmentPath, segmentsAmong } from '../../packages/collector/src/journal/segment-file.ts';
import { Stage } from '../../packages/collector/src/journal/stage.ts';
import type { Chance } from './chance.ts';

const EVENTS = 20;

/**
 * Leaves at the end of a killed collector's journal what a power cut leaves there of a frame that
 * was never confirmed: its beginning, from the newest segment on. Whether there was one.
 */
export function tearEnd(dataDir: string, chance: Chance): boolean {
  const folder = join(dataDir, 'journal');
  const segment = existsSync(folder) ? segmentsAmong(readdirSync(folder)).at(-1) : undefined;
  if (segment === undefined || isClosed(folder, segment)) return false;
  const stage = new Stage();
  for (let n = 0; n < EVENTS; n++) stage.add(`{"event.id":"torn-${n}"}`);
  const place = { collector: 'torn', segment, first: segment + 1, time: Date.now() };
  const frame = new FrameEncoder().encode(stage, EVENTS, place);
  appendFileSync(
    segmentPath(folder, segment),
    frame.subarray(0, 1 + chance.below(frame.length - 1)),
  );
  return true;
}

/** What is in the ledger was durable long before. */
function isClosed(folder: string, segment: number): boolean {
  const path = join(folder, 'ledger');
  return existsSync(path) && readFileSync(path, 'utf8').includes(`"segment":${segment},`);
}

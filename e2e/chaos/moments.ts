import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** At what a kill struck, as data folder and store show it: how many kills struck at each. */
export type Moments = Record<Moment, number>;

/** A kill may strike at several of them. */
export type Moment = 'start' | 'intake' | 'delivery' | 'roll';

/** Looks at the folder that a killed collector left. */
export function momentsOf(
  dataDir: string,
  facts: {
    readonly listened: boolean;
    readonly unanswered: number;
    readonly tookBatch: boolean;
  },
): Moment[] {
  const moments: Moment[] = [];
  if (!facts.listened) moments.push('start');
  if (facts.unanswered > 0) moments.push('intake');
  if (facts.tookBatch) moments.push('delivery');
  if (isBetweenSegments(join(dataDir, 'journal'))) moments.push('roll');
  return moments;
}

/** Whether a segment other than the newest has no line in the ledger yet. */
function isBetweenSegments(folder: string): boolean {
  if (!existsSync(join(folder, 'ledger'))) return false;
  const segments = readdirSync(folder)
    .filter((name) => name.endsWith('.journal'))
    .map((name) => Number.parseInt(name, 10))
    .toSorted((a, b) => a - b);
  const ledger = readFileSync(join(folder, 'ledger'), 'utf8');
  return segments.slice(0, -1).some((segment) => !ledger.includes(`{"segment":${segment},`));
}

import { existsSync, readdirSync, statSync } from 'node:fs';
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
    /** Epoch ms. */
    readonly killedAt: number;
  },
): Moment[] {
  const moments: Moment[] = [];
  if (!facts.listened) moments.push('start');
  if (facts.unanswered > 0) moments.push('intake');
  if (facts.tookBatch) moments.push('delivery');
  if (isJustRolled(join(dataDir, 'journal'), facts.killedAt)) moments.push('roll');
  return moments;
}

/** Of a segment whose first frame is hardly written. */
const NEW_MS = 20;

/** Whether the newest segment had just been begun. */
function isJustRolled(folder: string, killedAt: number): boolean {
  if (!existsSync(folder)) return false;
  const segments = readdirSync(folder).filter((name) => name.endsWith('.journal'));
  const begun = segments.map((name) => statSync(join(folder, name)).birthtimeMs);
  return begun.some((at) => Math.abs(killedAt - at) < NEW_MS);
}

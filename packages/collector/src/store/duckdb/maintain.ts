import type { Engine } from './engine.ts';
import { DAY_MS } from './rollup-plan.ts';
import { rollUpDays, rollUpDirty } from './rollup.ts';
import { scrub } from './scrub.ts';

/** The work that can wait, in pieces between which batches are taken; it stops at a signal. */
export function maintenance(
  engine: Engine,
  now: () => number,
): (signal: AbortSignal) => Promise<void> {
  let rolledBefore = 0;
  return async (signal) => {
    const today = now() - (now() % DAY_MS);
    await rollUpDirty(engine, signal);
    // To find days that are not rolled up costs a look at every event: once a day is enough.
    if (today > rolledBefore) await rollUpDays(engine, today, signal);
    if (signal.aborted) return;
    rolledBefore = today;
    await scrub(engine);
  };
}

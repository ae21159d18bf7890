import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 30_000;
const INTERVAL_MS = 50;

/** Repeats an assertion until it holds; throws its last failure when patience runs out. */
export async function eventually(assertion: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(INTERVAL_MS);
    }
  }
}

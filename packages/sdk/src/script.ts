/**
 * The script-tag build: `<script defer src="https://collector/metronome.js" data-item="…">`.
 *
 * `window.metronome` is the handle that `start` returns. A stub of the same shape may stand there
 * before; the calls that it took are replayed.
 */
import { type Call, replay } from './calls.ts';
import { standard } from './instrumentation/standard.ts';
import type { Instrumentation } from './instrumentation.ts';
import { safely } from './lib/safely.ts';
import { whenIdle } from './lib/when-idle.ts';
import type { Options } from './options.ts';
import { createTracker, type Metronome } from './tracker.ts';

interface Stub extends Partial<Metronome> {
  /** Calls taken before this script ran. */
  q?: Call[] | { push(call: Call): void };
}

const words: Record<string, boolean> = { '': true, true: true, false: false };

safely(() => {
  const page = globalThis as unknown as { metronome?: Stub };
  const script = document.currentScript as HTMLScriptElement;
  const stub = page.metronome;
  // A second tag on the same page counts nothing twice.
  if (stub?.use) return;

  const options: Options = { endpoint: new URL('.', script.src).href };
  for (const [name, value] of Object.entries(script.dataset)) {
    (options as Record<string, unknown>)[name] = words[value as string] ?? value;
  }
  const metronome = createTracker(options, standard(options));
  page.metronome = metronome;

  if (stub) {
    const push = (call: Call): void => void replay(metronome, call);
    if (Array.isArray(stub.q)) stub.q.forEach(push);
    stub.q = { push };
  }

  if (options.vitals !== false) {
    const vitalsUrl = new URL('metronome-vitals.js', script.src).href;
    whenIdle(() => void loadLate(vitalsUrl, metronome));
  }
})();

const loadLate = async (url: string, metronome: Metronome): Promise<void> => {
  try {
    const { late } = (await import(url)) as { late: readonly Instrumentation[] };
    late.forEach(metronome.use);
  } catch {
    // Blocked or missing; everything else works without it.
  }
};

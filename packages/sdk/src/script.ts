/**
 * The script-tag build: `<script defer src="https://collector/metronome.js" data-item="…">`.
 *
 * `window.metronome` is the handle that `start` returns. A stub may stand there before: the calls
 * that it took in `q` are replayed, and `options` holds what does not fit into an attribute.
 */
import { standard } from './instrumentation/standard.ts';
import { safely } from './lib/safely.ts';
import { type Options, secretsPattern } from './options.ts';
import { createTracker, type Metronome } from './tracker.ts';

interface Stub extends Partial<Metronome> {
  q?: [method: keyof Metronome, ...args: unknown[]][];
  options?: Options;
}

safely(() => {
  const script = document.currentScript as HTMLScriptElement;
  const stub = (window as { metronome?: Stub }).metronome;
  const folder = script.src.replace(/[^/]*$/, '');
  // A second tag on the same page counts nothing twice.
  if (stub?.flush) return;

  const options: Record<string, unknown> & Options = { endpoint: folder, ...stub?.options };
  for (const name in script.dataset) {
    const value = script.dataset[name];
    // Empty, only a switch that is off by default says something.
    options[name] = value === 'false' ? false : value || /back|hash/.test(name) || options[name];
  }
  const metronome = createTracker(
    options,
    standard,
    options.scrub && secretsPattern(options.scrub),
  );
  (window as { metronome?: unknown }).metronome = metronome;
  for (const [method, ...args] of stub?.q ?? []) {
    (metronome[method] as (...args: unknown[]) => void)(...args);
  }

  if (options.late !== false) {
    const vitalsUrl = `${folder}metronome-vitals.js`;
    (window.requestIdleCallback ?? setTimeout)(() => {
      // Blocked or missing: everything else works without it.
      import(vitalsUrl).then(metronome.use, () => {});
    });
  }
})();

/**
 * The whole SDK for applications that bundle:
 *
 *     import { start, track } from '@metronome/sdk';
 *     start({ endpoint: 'https://collector.example', app: 'portal' });
 *     track('signup', { plan: 'pro' });
 *
 * The functions act on the page's one tracker. Calls before `start` are held until then.
 */
import { type Call, replay } from './calls.ts';
import { standard } from './instrumentation/standard.ts';
import type { Instrumentation } from './instrumentation.ts';
import { whenIdle } from './lib/when-idle.ts';
import type { EventRecord, Options } from './options.ts';
import { createTracker, type Metronome } from './tracker.ts';

export type { Emit, Instrumentation, Page, View } from './instrumentation.ts';
export type { EventRecord, List, Options } from './options.ts';
export type { Metronome } from './tracker.ts';

/** Calls held before `start`; what comes later is let go. */
const heldMax = 100;
let held: Call[] = [];
let current: Metronome | undefined;

const call = (...args: Call): unknown => {
  if (current) return replay(current, args);
  if (held.length < heldMax && typeof document !== 'undefined') held.push(args);
  return undefined;
};

/** Measures this page; called again before `stop`, it returns the same handle. */
export const start = (options: Options): Metronome => {
  if (current) return current;
  const metronome = createTracker(options, standard(options));
  current = {
    ...metronome,
    stop: () => {
      metronome.stop();
      current = undefined;
    },
  };
  for (const early of held) replay(metronome, early);
  held = [];
  if (options.vitals !== false) whenIdle(() => void loadLate(metronome));
  return current;
};

const loadLate = async (metronome: Metronome): Promise<void> => {
  try {
    const { late } = await import('./vitals-script.ts');
    late.forEach(metronome.use);
  } catch {
    // The chunk could not be loaded; everything else works without it.
  }
};

/** Records an event of the application's. */
export const track = (name: string, properties?: EventRecord): void =>
  void call('track', name, properties);

/** Begins a page view. */
export const view = (properties?: EventRecord): void => void call('view', properties);

/** Says what the page is about, until the URL changes. */
export const setItem = (item: string | undefined): void => void call('setItem', item);

/** Grants or denies what `consent: 'pending'` holds back. */
export const consent = (state: 'granted' | 'denied'): void => void call('consent', state);

/** Sends what is queued. */
export const flush = async (): Promise<void> => {
  await call('flush');
};

/** Sends what is queued and takes all listeners away. */
export const stop = (): void => current?.stop();

/** Adds an instrumentation. */
export const use = (instrumentation: Instrumentation): void => void call('use', instrumentation);

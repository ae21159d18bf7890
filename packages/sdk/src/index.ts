/**
 * The whole SDK for applications that bundle:
 *
 *     import { start, track } from '@metronome/sdk';
 *     start({ endpoint: 'https://collector.example', app: 'portal' });
 *     track('signup', { plan: 'pro' });
 *
 * The functions act on the page's one tracker. Calls before `start` are held until then.
 */
import { standard } from './instrumentation/standard.ts';
import type { Instrumentations } from './instrumentation.ts';
import { type EventRecord, type Options, secretsPattern } from './options.ts';
import { inert } from './inert.ts';
import { createTracker, type Metronome } from './tracker.ts';

export type { Emit, Instrumentation, Instrumentations, Page, View } from './instrumentation.ts';
export type { EventRecord, List, Options } from './options.ts';
export type { Metronome } from './tracker.ts';

/** Calls held before `start`; what comes later is let go. */
const heldMax = 100;
let held: ((metronome: Metronome) => void)[] = [];
let current: Metronome | undefined;

const call = (run: (metronome: Metronome) => void): void => {
  if (current) run(current);
  else if (held.length < heldMax && typeof document !== 'undefined') held.push(run);
};

/** Measures this page; called again before `stop`, it returns the same handle. */
export const start = (options: Options): Metronome => {
  if (current) return current;
  if (typeof document === 'undefined') return inert;
  const secrets = options.scrub?.length ? secretsPattern(options.scrub) : undefined;
  const metronome = createTracker(options, standard, secrets);
  current = {
    ...metronome,
    stop: () => {
      metronome.stop();
      current = undefined;
    },
  };
  for (const run of held) run(metronome);
  held = [];
  if (options.late !== false) whenIdle(() => void addLate(metronome));
  return current;
};

const whenIdle = (run: () => void): unknown => (window.requestIdleCallback ?? setTimeout)(run);

const addLate = async (metronome: Metronome): Promise<void> => {
  try {
    metronome.use(await import('./vitals-script.ts'));
  } catch {
    // The chunk could not be loaded; everything else works without it.
  }
};

/** Records an event of the application's. */
export const track = (name: string, properties?: EventRecord): void =>
  call((metronome) => metronome.track(name, properties));

/** Begins a page view. */
export const view = (properties?: EventRecord): void =>
  call((metronome) => metronome.view(properties));

/** Says what the page is about, until the URL changes. */
export const setItem = (item: string | undefined): void =>
  call((metronome) => metronome.setItem(item));

/** Grants or denies what `consent: 'pending'` holds back. */
export const consent = (state: 'granted' | 'denied'): void =>
  call((metronome) => metronome.consent(state));

/** Adds instrumentations. */
export const use = (instrumentations: Instrumentations): void =>
  call((metronome) => metronome.use(instrumentations));

/** Sends what is queued; resolves when the collector has answered or could not be reached. */
export const flush = async (): Promise<void> => current?.flush();

/** Sends what is queued and takes all listeners away. */
export const stop = (): void => current?.stop();

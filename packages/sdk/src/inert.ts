import type { Metronome } from './tracker.ts';

const nothing = (): void => {};

/** The handle on a server, where there is no page to measure. */
export const inert: Metronome = {
  track: nothing,
  view: nothing,
  setItem: nothing,
  consent: nothing,
  flush: async () => {},
  stop: nothing,
  use: nothing,
};

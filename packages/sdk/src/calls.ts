import type { Metronome } from './tracker.ts';

/** A call of the handle, by name: what a stub keeps until the handle is there. */
export type Call = {
  [M in keyof Metronome]: [method: M, ...args: Parameters<Metronome[M]>];
}[keyof Metronome];

/** Calls the handle as `call` says. */
export const replay = (metronome: Metronome, [method, ...args]: Call): unknown =>
  (metronome[method] as (...args: unknown[]) => unknown)(...args);

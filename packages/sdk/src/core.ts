/**
 * The SDK without any instrumentation of its own choice:
 *
 *     import { start, views } from '@metronome/sdk/core';
 *     const metronome = start({ endpoint: 'https://collector.example' }, [views]);
 */
import type { Instrumentation } from './instrumentation.ts';
import type { Options } from './options.ts';
import { createTracker, type Metronome } from './tracker.ts';

export { views } from './instrumentation/views.ts';
export type { Emit, Instrumentation, Page, View } from './instrumentation.ts';
export type { EventRecord, List, Options } from './options.ts';
export type { Metronome } from './tracker.ts';

/** Measures this page with the given instrumentations; does nothing on a server. */
export const start = (options: Options, instrumentations: readonly Instrumentation[]): Metronome =>
  createTracker(options, instrumentations);

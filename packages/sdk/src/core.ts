/**
 * The SDK without any instrumentation of its own choice:
 *
 *     import { start, views } from '@metronome/sdk/core';
 *     const metronome = start({ endpoint: 'https://collector.example' }, { views });
 */
import type { Instrumentations } from './instrumentation.ts';
import type { Options } from './options.ts';
import { createTracker, type Metronome } from './tracker.ts';

export { actions } from './instrumentation/actions.ts';
export { campaign } from './instrumentation/campaign.ts';
export { engagement } from './instrumentation/engagement.ts';
export { errors } from './instrumentation/errors.ts';
export { links } from './instrumentation/links.ts';
export { resources } from './instrumentation/resources.ts';
export { views } from './instrumentation/views.ts';
export { vitals } from './instrumentation/vitals.ts';
export { secretsPattern } from './options.ts';
export type { Emit, Instrumentation, Instrumentations, Page, View } from './instrumentation.ts';
export type { EventRecord, List, Options } from './options.ts';
export type { Metronome } from './tracker.ts';

/**
 * Measures this page with the given instrumentations, and nothing else. `secrets` is what
 * `secretsPattern(['token', …])` makes.
 */
export const start = (
  options: Options,
  instrumentations: Instrumentations,
  secrets?: RegExp,
): Metronome => createTracker(options, instrumentations, secrets);

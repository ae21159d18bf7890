/**
 * What can wait until the page is idle. The script-tag build has it in `metronome-vitals.js`, and
 * hands the whole module to `use`.
 */
export { engagement } from './instrumentation/engagement.ts';
export { resources } from './instrumentation/resources.ts';
export { vitals } from './instrumentation/vitals.ts';

/** What the script-tag build loads at idle: all that can wait. */
import type { Instrumentation } from './instrumentation.ts';
import { resources } from './instrumentation/resources.ts';
import { violations } from './instrumentation/violations.ts';
import { vitals } from './instrumentation/vitals.ts';

/** In the order in which they are added. */
export const late: readonly Instrumentation[] = [vitals, resources, violations];

import type { Scenario } from './scenario.ts';
import { views } from './scenarios/views.ts';

/** The conformance table: what every engine has to show of the SDK. */
export const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = { views };

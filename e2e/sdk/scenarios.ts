import type { Scenario } from './scenario.ts';
import { actions, errors, measures } from './scenarios/capture.ts';
import { delivery } from './scenarios/delivery.ts';
import { downloads } from './scenarios/downloads.ts';
import { hygiene } from './scenarios/hygiene.ts';
import { privacy } from './scenarios/privacy.ts';
import { views } from './scenarios/views.ts';

/** The conformance table: what the SDK does in every engine. */
export const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = {
  views,
  downloads,
  delivery,
  actions,
  errors,
  measures,
  privacy,
  hygiene,
};

import { MetronomeError } from '../errors.ts';
import { nearest } from '../query/nearest.ts';
import type { Statistic } from './statistic.ts';
import { campaigns } from './statistics/campaigns.ts';
import { devices } from './statistics/devices.ts';
import { errors } from './statistics/errors.ts';
import { flow } from './statistics/flow.ts';
import { live } from './statistics/live.ts';
import { recommendations } from './statistics/recommendations.ts';
import { time } from './statistics/time.ts';
import { visitors } from './statistics/visitors.ts';
import { vitals } from './statistics/vitals.ts';

/** What can be asked at `/tock/:id/NAME.json` and `/query/NAME.json`. */
export type Statistics = ReadonlyMap<string, Statistic>;

/** Those that are there without being declared. */
export const BUILT_IN = {
  visitors,
  time,
  vitals,
  errors,
  flow,
  recommendations,
  campaigns,
  devices,
  live,
} as const satisfies Record<string, Statistic>;

/** The built-in statistics. */
export function allStatistics(): Statistics {
  return new Map<string, Statistic>(Object.entries(BUILT_IN));
}

/** Throws `not-found` that names the nearest where there is none of this name. */
export function statisticNamed(statistics: Statistics, name: string): Statistic {
  const found = statistics.get(name);
  if (found) return found;
  const names = [...statistics.keys()];
  const near = nearest(name, names);
  const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`;
  throw new MetronomeError('not-found', `There is no query ${JSON.stringify(name)}: ${hint}`);
}

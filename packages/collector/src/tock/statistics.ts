import { MetronomeError } from '../errors.ts';
import type { DeclaredQuery } from '../query/declared.ts';
import { hintFor } from '../query/nearest.ts';
import type { Statistic } from './statistic.ts';
import { campaigns } from './statistics/campaigns.ts';
import { declared } from './statistics/declared.ts';
import { devices } from './statistics/devices.ts';
import { errors } from './statistics/errors.ts';
import { flow } from './statistics/flow.ts';
import { live } from './statistics/live.ts';
import { recommendations } from './statistics/recommendations.ts';
import { retention } from './statistics/retention.ts';
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
  retention: retention({}),
} as const satisfies Record<string, Statistic>;

/** What is asked at `/NAME.json`. */
const CALLS: readonly string[] = ['tock', 'items'];

/** What no declared query may be called. */
const TAKEN: readonly string[] = [...Object.keys(BUILT_IN), ...CALLS];

/** The application's keys that the built-in statistics use as numbers. */
export const BUILT_IN_NUMERIC_KEYS: readonly string[] = ['count'];

/**
 * The built-in statistics and those that the application declares.
 *
 * Throws `config` where it declares one of a name that is taken.
 */
export function allStatistics(queries: Readonly<Record<string, DeclaredQuery>> = {}): Statistics {
  const taken = TAKEN.find((name) => Object.hasOwn(queries, name));
  if (taken !== undefined) {
    const message = `queries.${taken}: there is a built-in statistic of this name; choose another.`;
    throw new MetronomeError('config', message);
  }
  return new Map<string, Statistic>([
    ...Object.entries(BUILT_IN),
    ...Object.entries(queries).map(([name, query]) => [name, declared(query)] as const),
  ]);
}

/** Throws `not-found` that names the nearest where there is none of this name. */
export function statisticNamed(statistics: Statistics, name: string): Statistic {
  const found = statistics.get(name);
  if (found) return found;
  const hint = CALLS.includes(name)
    ? `it has a call of its own, /${name}.json`
    : hintFor(name, [...statistics.keys()]);
  throw new MetronomeError('not-found', `There is no query ${JSON.stringify(name)}: ${hint}`);
}

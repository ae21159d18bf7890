import type { StoredEvent } from '../../event.ts';
import type { Filter, Query, Range, Scalar } from '../../query/query.ts';
import { offsetSpans } from '../../query/time-zone.ts';
import { mergeStretches } from './twins.ts';

/** What rollups keep of an event, under the names that it has there; `@timestamp` is the grain's start. */
export const ROLLUP_COLUMNS = [
  'service.name',
  'item',
  '@timestamp',
  'event.action',
  'bot',
  'file.extension',
  'referer',
] as const satisfies readonly (keyof StoredEvent)[];

/**
 * - `quarter`: counts by quarter hours, of which the hours and days of every zone of today are made
 * - `day`: counts by UTC days, formats and referers
 */
export type Grain = 'quarter' | 'day';

/** Where an answer comes from; the stretches make up the query's range and do not overlap. */
export interface RollupPlan {
  readonly grain: Grain;
  readonly rolled: readonly Range[];
  readonly live: readonly Range[];
}

const GRAIN_MS = { quarter: 900_000, day: 86_400_000 } as const satisfies Record<Grain, number>;
export const DAY_MS = 86_400_000;

/** More make the statement long; the smallest gaps between them are then read live too. */
const LIVE_STRETCHES_MAX = 8;

/** The grain that a query can be answered from, if any. */
export function grainOf({
  measures,
  dimensions = {},
  filter,
  range,
  timeZone,
}: Query): Grain | undefined {
  const plainCounts = Object.values(measures).every(
    ({ kind, where }) => kind === 'count' && !where,
  );
  if (!plainCounts || !fieldsOf(filter).every(isPart)) return undefined;
  const all = Object.values(dimensions);
  const times = all.flatMap((one) => (one.kind === 'time' ? [one.interval] : []));
  const fields = all.flatMap((one) => (one.kind === 'field' ? [one.field] : []));
  if (times.length === 0) {
    return fields.every((name) => isPart(name) || isDetail(name)) ? 'day' : undefined;
  }
  if (times.includes('minute') || !fields.every(isPart)) return undefined;
  const spans = offsetSpans(range.from, range.to, timeZone ?? 'UTC');
  return spans.every(({ offsetMs }) => offsetMs % GRAIN_MS.quarter === 0) ? 'quarter' : undefined;
}

/** The app and item that a query is held to, where it is. */
export function scopeOf(filter: Filter | undefined): {
  readonly app?: string;
  readonly item?: string;
} {
  const parts = filter?.kind === 'and' ? filter.filters : filter ? [filter] : [];
  const valueOf = (field: string): Scalar | undefined =>
    parts.flatMap((one) => (one.kind === 'equals' && one.field === field ? [one.value] : []))[0];
  const [app, item] = [valueOf('app'), valueOf('item')];
  return {
    ...(app !== undefined && { app: String(app) }),
    ...(item !== undefined && { item: String(item) }),
  };
}

/** `days`: starts of the clean days in epoch ms, ascending. Undefined where they help nothing. */
export function planRollups(
  grain: Grain,
  { from, to }: Range,
  days: readonly number[],
): RollupPlan | undefined {
  const step = GRAIN_MS[grain];
  const [first, last] = [Math.ceil(from / step) * step, Math.floor(to / step) * step];
  const whole = days.flatMap((day) => {
    const clipped = { from: Math.max(day, first), to: Math.min(day + DAY_MS, last) };
    return clipped.from < clipped.to && (grain === 'quarter' || isWhole(clipped)) ? [clipped] : [];
  });
  const live = mergeStretches(between(whole, { from, to }), LIVE_STRETCHES_MAX);
  const rolled = between(live, { from, to });
  return rolled.length > 0 ? { grain, rolled, live } : undefined;
}

function isWhole({ from, to }: Range): boolean {
  return to - from === DAY_MS;
}

/** What sorted stretches leave of a range. */
function between(stretches: readonly Range[], { from, to }: Range): readonly Range[] {
  const ends = [from, ...stretches.map((one) => one.to)];
  return ends
    .map((end, index) => ({ from: end, to: stretches[index]?.from ?? to }))
    .filter((gap) => gap.from < gap.to);
}

function fieldsOf(filter: Filter | undefined): readonly string[] {
  if (filter === undefined) return [];
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters.flatMap(fieldsOf);
    case 'not':
      return fieldsOf(filter.filter);
    default:
      return [filter.field];
  }
}

/** Fields of both grains. */
function isPart(name: string): boolean {
  return ['app', 'item', 'event', 'bot'].includes(name);
}

/** Fields of the grain of days. */
function isDetail(name: string): boolean {
  return ['format', 'referer'].includes(name);
}

import type { FieldName } from '../../event.ts';
import { fieldsOf } from '../../query/fields-of.ts';
import type { Filter, Query, Range } from '../../query/query.ts';
import { offsetSpans } from '../../query/time-zone.ts';
import { mergeStretches } from './twins.ts';

export const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;

/** What is counted by what: a row is a number of events that are alike in these fields. */
interface Kind {
  /** Length of the stretch of time that a row is of. Quarter hours make the hours of any zone. */
  readonly stepMs: number;
  readonly fields: readonly FieldName[];
}

/** From the smallest: the first that can answer a query does. */
export const COUNTS = {
  site_quarters: { stepMs: QUARTER_MS, fields: ['app', 'event', 'bot'] },
  site_days: { stepMs: DAY_MS, fields: ['app', 'event', 'bot', 'format', 'referer'] },
  item_days: { stepMs: DAY_MS, fields: ['app', 'item', 'event', 'bot'] },
  item_details: { stepMs: DAY_MS, fields: ['app', 'item', 'event', 'bot', 'format', 'referer'] },
  item_quarters: { stepMs: QUARTER_MS, fields: ['app', 'item', 'event', 'bot'] },
} as const satisfies Record<string, Kind>;

export type CountsName = keyof typeof COUNTS;
export const countsNames = Object.keys(COUNTS) as readonly CountsName[];

/** What rollups there are at a moment. */
export interface RollupState {
  /** By name, those whose tables are there. */
  readonly rollups: ReadonlyMap<string, Counted>;
  /** The last batch that was stored; undefined while that may change. */
  readonly last: number | undefined;
  /** Of what has been erased since: read live until counted again. */
  readonly dirty: readonly DirtyPart[];
}

/** How far a rollup is. */
export interface Counted {
  /** Every event of a batch up to this one is in the rollup, and no other is. */
  readonly upTo: number;
  /** Epoch ms: the counts of the days before this one are forgotten. */
  readonly since: number;
}

export interface DirtyPart {
  readonly app: string;
  /** Epoch ms. */
  readonly day: number;
  readonly item: string | null;
}

/**
 * Where an answer comes from: of the `counted` stretches the rows of a table, and with `isBehind`
 * the events of batches after `upTo`; all events of the `live` stretches.
 */
export interface RollupPlan {
  readonly name: CountsName;
  readonly upTo: number;
  readonly isBehind: boolean;
  readonly counted: readonly Range[];
  readonly live: readonly Range[];
}

/** More make the statement long; the smallest gaps between them are then read live too. */
const LIVE_STRETCHES_MAX = 8;

/** How a query is to be answered; undefined: from the events alone. */
export function planRollups(query: Query, state: RollupState): RollupPlan | undefined {
  const name = rollupOf(query);
  const rollup = state.rollups.get('counts');
  if (name === undefined || rollup === undefined || rollup.upTo === 0) return undefined;
  const stretches = stretchesOf(query, COUNTS[name].stepMs, rollup, state.dirty);
  if (stretches === undefined) return undefined;
  const isBehind = state.last === undefined || state.last > rollup.upTo;
  return { name, upTo: rollup.upTo, isBehind, ...stretches };
}

/** The range in stretches; undefined where no part of it is counted. */
function stretchesOf(
  { range, filter }: Pick<Query, 'range' | 'filter'>,
  stepMs: number,
  { since }: Counted,
  dirty: readonly DirtyPart[],
): Pick<RollupPlan, 'counted' | 'live'> | undefined {
  const [from, to] = [Math.ceil(range.from / stepMs), Math.floor(range.to / stepMs)];
  const whole = { from: Math.max(from * stepMs, since), to: to * stepMs };
  if (whole.from >= whole.to) return undefined;
  const unsure = dirtyDays(dirty, filter).map((day) => ({ from: day, to: day + DAY_MS }));
  const live = mergeStretches(between(between(unsure, whole), range), LIVE_STRETCHES_MAX);
  const counted = between(live, range);
  return counted.length === 0 ? undefined : { counted, live };
}

/** The rollup that a query can be answered from, if any. */
export function rollupOf({
  measures,
  dimensions = {},
  filter,
  range,
  timeZone = 'UTC',
}: Query): CountsName | undefined {
  if (!Object.values(measures).every(({ kind }) => kind === 'count')) return undefined;
  const all = Object.values(dimensions);
  const intervals = all.flatMap((one) => (one.kind === 'time' ? [one.interval] : []));
  if (intervals.includes('minute')) return undefined;
  const asked = [
    ...all.flatMap((one) => (one.kind === 'field' ? [one.field] : [])),
    ...[filter, ...Object.values(measures).map(({ where }) => where)].flatMap((one) =>
      one ? fieldsOf(one) : [],
    ),
  ];
  const offsets =
    intervals.length === 0
      ? []
      : offsetSpans(range.from, range.to, timeZone).map(({ offsetMs }) => offsetMs);
  return countsNames.find((name) => {
    const { stepMs, fields }: Kind = COUNTS[name];
    const isFine = stepMs === QUARTER_MS || !intervals.includes('hour');
    const known: readonly string[] = fields;
    return (
      isFine &&
      offsets.every((offset) => offset % stepMs === 0) &&
      asked.every((field) => known.includes(field))
    );
  });
}

/** Values that a field is held to by equality; undefined where it is not. */
export function heldTo(
  filter: Filter | undefined,
  field: FieldName,
): readonly string[] | undefined {
  const parts = filter?.kind === 'and' ? filter.filters : filter ? [filter] : [];
  for (const part of parts) {
    if (part.kind === 'equals' && part.field === field) return [String(part.value)];
    if (part.kind === 'in' && part.field === field) return part.values.map(String);
  }
  return undefined;
}

function dirtyDays(dirty: readonly DirtyPart[], filter: Filter | undefined): readonly number[] {
  const [apps, items] = [heldTo(filter, 'app'), heldTo(filter, 'item')];
  const days = dirty.flatMap(({ app, day, item }) => {
    const isAsked = (apps?.includes(app) ?? true) && (items?.includes(item ?? '') ?? true);
    return isAsked ? [day] : [];
  });
  return [...new Set(days)].toSorted((a, b) => a - b);
}

/** What sorted stretches leave of a range. */
function between(stretches: readonly Range[], { from, to }: Range): readonly Range[] {
  const ends = [from, ...stretches.map((one) => one.to)];
  return ends
    .map((end, index) => ({
      from: Math.max(end, from),
      to: Math.min(stretches[index]?.from ?? to, to),
    }))
    .filter((gap) => gap.from < gap.to);
}

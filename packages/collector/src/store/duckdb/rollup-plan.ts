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
export const ROLLUPS = {
  site_quarters: { stepMs: QUARTER_MS, fields: ['app', 'event', 'bot'] },
  site_days: { stepMs: DAY_MS, fields: ['app', 'event', 'bot', 'format', 'referer'] },
  item_days: { stepMs: DAY_MS, fields: ['app', 'item', 'event', 'bot'] },
  item_details: { stepMs: DAY_MS, fields: ['app', 'item', 'event', 'bot', 'format', 'referer'] },
  item_quarters: { stepMs: QUARTER_MS, fields: ['app', 'item', 'event', 'bot'] },
} as const satisfies Record<string, Kind>;

export type RollupName = keyof typeof ROLLUPS;
export const rollupNames = Object.keys(ROLLUPS) as readonly RollupName[];

/** What rollups there are at a moment. */
export interface RollupState {
  /** Every event of a batch up to this one is in the rollups, and no other is. */
  readonly upTo: number;
  /** `2026_11`: the UTC months that have tables, ascending. */
  readonly months: readonly string[];
  /** Epoch ms: the rollups of the days before this one are forgotten. */
  readonly since: number;
  /** Of what has been erased since: read live until counted again. */
  readonly dirty: readonly DirtyPart[];
}

export interface DirtyPart {
  readonly app: string;
  /** Epoch ms. */
  readonly day: number;
  readonly item: string | null;
}

/**
 * Where an answer comes from: tables of counts; all events of the `live` stretches; and for the
 * other stretches, `counted`, the events of batches after `upTo`.
 */
export interface RollupPlan {
  readonly name: RollupName;
  readonly upTo: number;
  readonly tables: readonly (Range & { readonly table: string })[];
  readonly counted: readonly Range[];
  readonly live: readonly Range[];
}

/** More make the statement long; the smallest gaps between them are then read live too. */
const LIVE_STRETCHES_MAX = 8;

/** How a query is to be answered; undefined: from the events alone. */
export function planRollups(query: Query, state: RollupState): RollupPlan | undefined {
  const name = rollupOf(query);
  if (name === undefined || state.upTo === 0) return undefined;
  const { range } = query;
  const { stepMs } = ROLLUPS[name];
  const [from, to] = [Math.ceil(range.from / stepMs), Math.floor(range.to / stepMs)];
  const whole = { from: Math.max(from * stepMs, state.since), to: to * stepMs };
  if (whole.from >= whole.to) return undefined;
  const dirty = dirtyDays(state.dirty, query.filter).map((day) => ({
    from: day,
    to: day + DAY_MS,
  }));
  const live = mergeStretches(between(between(dirty, whole), range), LIVE_STRETCHES_MAX);
  const counted = between(live, range);
  if (counted.length === 0) return undefined;
  const tables = counted.flatMap((stretch) =>
    state.months.flatMap((month) => {
      const clipped = intersection(stretch, monthRange(month));
      return clipped ? [{ ...clipped, table: `${name}_${month}` }] : [];
    }),
  );
  return { name, upTo: state.upTo, tables, counted, live };
}

/** The rollup that a query can be answered from, if any. */
export function rollupOf({
  measures,
  dimensions = {},
  filter,
  range,
  timeZone = 'UTC',
}: Query): RollupName | undefined {
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
  return rollupNames.find((name) => {
    const { stepMs, fields }: Kind = ROLLUPS[name];
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

/** `2026_11` as epoch ms. */
export function monthRange(month: string): Range {
  const [year = 0, number = 0] = month.split('_').map(Number);
  return { from: Date.UTC(year, number - 1), to: Date.UTC(year, number) };
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

function intersection(a: Range, b: Range): Range | undefined {
  const both = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
  return both.from < both.to ? both : undefined;
}

import type { FieldName } from '../../event.ts';
import { beyondDeclared, partsOf } from '../../query/beyond-declared.ts';
import type { DeclaredRows } from '../../query/declared.ts';
import { fieldsOf } from '../../query/fields-of.ts';
import type { Filter, Query, Range } from '../../query/query.ts';
import { offsetSpans } from '../../query/time-zone.ts';
import { mergeStretches } from './twins.ts';

export const DAY_MS = 86_400_000;
export const QUARTER_MS = 900_000;
const WEEK_MS = 7 * DAY_MS;

/** What is counted by what: a row is a number of events that are alike in these fields. */
interface Kind {
  /** Length of the stretch of time that a row is of. Quarter hours make the hours of any zone. */
  readonly stepMs: number;
  readonly fields: readonly FieldName[];
}

/**
 * From the smallest: the first that can answer a query does. Of `item_days` whole weeks may be read
 * from `item_weeks`, where many items are looked through (see `planCounts`).
 */
export const COUNTS = {
  site_quarters: { stepMs: QUARTER_MS, fields: ['app', 'event', 'bot'] },
  site_days: { stepMs: DAY_MS, fields: ['app', 'event', 'bot', 'format', 'referer'] },
  item_days: { stepMs: DAY_MS, fields: ['app', 'item', 'event', 'bot'] },
  item_details: { stepMs: DAY_MS, fields: ['app', 'item', 'event', 'bot', 'format', 'referer'] },
  item_quarters: { stepMs: QUARTER_MS, fields: ['app', 'item', 'event', 'bot'] },
  item_weeks: { stepMs: WEEK_MS, fields: ['app', 'item', 'event', 'bot'] },
} as const satisfies Record<string, Kind>;

export type CountsName = keyof typeof COUNTS;
export const countsNames = Object.keys(COUNTS) as readonly CountsName[];

/** What rollups there are at a moment. */
export interface RollupState {
  /** By name, those whose tables are there. */
  readonly rollups: ReadonlyMap<string, Counted>;
  /** The last batch that was stored; undefined while that may change. */
  readonly last: number | undefined;
  /**
   * Epoch ms: the days before this one are in the counts as far as their events have been dropped.
   * What is there of them (it came late) is counted when it is dropped, and read live until then.
   */
  readonly outlived: number;
  /** Of what has been erased since: read live until counted again. */
  readonly dirty: readonly DirtyDay[];
}

/** How far a rollup is. */
export interface Counted {
  /** Every event of a batch up to this one is in the rollup, and no other is; but see `outlived`. */
  readonly upTo: number;
  /** Epoch ms: the counts of the days before this one are forgotten. */
  readonly since: number;
  /** Epoch ms: those from this day on are counted anew, and read live until they are; else Infinity. */
  readonly again: number;
}

export interface DirtyDay {
  readonly app: string;
  /** Epoch ms. */
  readonly day: number;
  /** Of which items; undefined: of so many that it may as well be of all. */
  readonly items?: ReadonlySet<string | null>;
}

/**
 * Where an answer comes from: of the `counted` stretches the rows of a table; of the `behind` ones
 * the events of batches after `upTo`, and all events of the `live` ones.
 */
export type RollupPlan = CountsPlan | DeclaredPlan | ExcerptPlan;

export interface CountsPlan extends Stretches {
  readonly kind: 'counts';
  readonly name: CountsName;
  /** The `counted` stretches, and where each is read. */
  readonly tables: readonly (Range & { readonly name: CountsName })[];
}

/** Rows have the dimensions and measures of the query itself, and `FIELDS_OF_DECLARED`. */
export interface DeclaredPlan extends Stretches {
  readonly kind: 'declared';
  readonly table: string;
  readonly stepMs: number;
  /** What the query asks beyond the filter by which its events were chosen. */
  readonly filter: Filter;
}

/** Rows are events, with the columns that a question needs and a `key` of their item. */
export interface ExcerptPlan extends Stretches {
  readonly kind: 'excerpt';
  readonly table: string;
  /** What happened in them. */
  readonly events: readonly string[];
  readonly columns: readonly string[];
  /** The same columns, made from `events`. */
  readonly fromEvents: readonly string[];
  /** The column that tells visitors apart. */
  readonly visitor: string;
}

/** The rollup of a query that is declared with one. */
export interface DeclaredRollup {
  readonly name: string;
  readonly query: DeclaredRows;
  readonly tables: readonly { readonly name: string; readonly stepMs: number }[];
}

/** What a request may ask of a declared query beyond its own filter. */
export const FIELDS_OF_DECLARED = ['app', 'item', 'bot'] as const satisfies readonly FieldName[];

interface Stretches {
  readonly upTo: number;
  readonly counted: readonly Range[];
  readonly behind: readonly Range[];
  readonly live: readonly Range[];
}

/** More make the statement long; the smallest gaps between them are then read live too. */
const LIVE_STRETCHES_MAX = 8;

/** How a query is to be answered; undefined: from the events alone. */
export function planRollups(
  query: Query,
  state: RollupState,
  declared: readonly DeclaredRollup[] = [],
): RollupPlan | undefined {
  return planCounts(query, state) ?? planDeclared(query, state, declared);
}

export function planCounts(query: Query, state: RollupState): CountsPlan | undefined {
  const name = rollupOf(query);
  if (name === undefined) return undefined;
  const stretches = stretchesOf(query, COUNTS[name].stepMs, 'counts', state);
  if (stretches === undefined) return undefined;
  const hasTime = Object.values(query.dimensions ?? {}).some(({ kind }) => kind === 'time');
  const areMany = name === 'item_days' && !hasTime && !heldTo(query.filter, 'item');
  const tables = stretches.counted.flatMap((range) =>
    areMany ? byWeeks(range) : [{ ...range, name }],
  );
  return { kind: 'counts', name, tables, ...stretches };
}

/** A stretch of days: its whole weeks, and what is left of it at its ends. */
function byWeeks({ from, to }: Range): CountsPlan['tables'] {
  const [first, end] = [Math.ceil(from / WEEK_MS) * WEEK_MS, Math.floor(to / WEEK_MS) * WEEK_MS];
  if (first >= end) return [{ from, to, name: 'item_days' }];
  const parts: CountsPlan['tables'] = [
    { from, to: first, name: 'item_days' },
    { from: first, to: end, name: 'item_weeks' },
    { from: end, to, name: 'item_days' },
  ];
  return parts.filter((part) => part.from < part.to);
}

function planDeclared(
  query: Query,
  state: RollupState,
  declared: readonly DeclaredRollup[],
): DeclaredPlan | undefined {
  for (const { rollup, filter, table, stepMs } of declaredFor(query, declared)) {
    const stretches = stretchesOf(query, stepMs, rollup, state);
    if (stretches) return { kind: 'declared', table, stepMs, filter, ...stretches };
  }
  return undefined;
}

/** The rollups of declared queries that can answer a query, each with the table that does. */
function declaredFor(query: Query, declared: readonly DeclaredRollup[]) {
  return declared.flatMap((rollup) => {
    const filter = beyondDeclared(query, rollup.query, FIELDS_OF_DECLARED);
    const found = filter && rollup.tables.find(({ stepMs }) => isFineEnough(query, stepMs));
    return found ? [{ rollup: rollup.name, filter, table: found.name, stepMs: found.stepMs }] : [];
  });
}

/**
 * Epoch ms: the first day of which the counts are there that answer a query about whole days of UTC;
 * Infinity where there are none.
 */
export function countsFrom(
  query: Query,
  { rollups }: RollupState,
  declared: readonly DeclaredRollup[],
): number {
  const names =
    rollupOf(query) === undefined
      ? declaredFor(query, declared).map(({ rollup }) => rollup)
      : ['counts'];
  // Of a rollup that came later the days are not there either that were forgotten before.
  const { since: forgotten } = rollups.get('counts') ?? { since: Number.POSITIVE_INFINITY };
  const froms = names.map((name) => {
    const { upTo, since } = rollups.get(name) ?? { upTo: 0, since: 0 };
    return upTo === 0 ? Number.POSITIVE_INFINITY : Math.max(since, forgotten);
  });
  return Math.min(Number.POSITIVE_INFINITY, ...froms);
}

/** The range in stretches; undefined where no part of it is counted. */
export function stretchesOf(
  { range, filter }: Pick<Query, 'range' | 'filter'>,
  stepMs: number,
  name: string,
  { rollups, last, outlived, dirty }: RollupState,
): Stretches | undefined {
  const rollup = rollups.get(name);
  if (rollup === undefined || rollup.upTo === 0) return undefined;
  const { upTo, since, again } = rollup;
  const [from, to] = [Math.ceil(range.from / stepMs), Math.floor(range.to / stepMs)];
  const whole = { from: Math.max(from * stepMs, since), to: to * stepMs };
  if (whole.from >= whole.to) return undefined;
  const unsure = dirtyDays(dirty, filter)
    .filter((day) => day < again)
    .map((day) => ({ from: day, to: day + DAY_MS }))
    .concat({ from: again, to: Number.POSITIVE_INFINITY });
  const uncounted = between(between(unsure, whole), range);
  const before = { from: Number.NEGATIVE_INFINITY, to: outlived };
  const after = { from: outlived, to: Number.POSITIVE_INFINITY };
  // What is counted of the days before, the events cannot tell.
  const live = [
    ...within(uncounted, before),
    ...mergeStretches(within(uncounted, after), LIVE_STRETCHES_MAX),
  ];
  const counted = between(live, range);
  if (counted.length === 0) return undefined;
  const isBehind = last === undefined || last > upTo;
  const behind = isBehind ? within(counted, after) : [];
  return { upTo, counted, behind, live: [...live, ...within(counted, before)] };
}

/** The rollup that a query can be answered from, if any. */
export function rollupOf(query: Query): CountsName | undefined {
  const { measures, dimensions = {}, filter } = query;
  if (!Object.values(measures).every(({ kind }) => kind === 'count')) return undefined;
  const all = Object.values(dimensions);
  const asked = [
    ...all.flatMap((one) => (one.kind === 'field' ? [one.field] : [])),
    ...[filter, ...Object.values(measures).map(({ where }) => where)].flatMap((one) =>
      one ? fieldsOf(one) : [],
    ),
  ];
  return countsNames.find((name) => {
    const { stepMs, fields }: Kind = COUNTS[name];
    const known: readonly string[] = fields;
    return isFineEnough(query, stepMs) && asked.every((field) => known.includes(field));
  });
}

/** Whether the query's buckets of time are whole steps in its zone. */
function isFineEnough(
  { dimensions = {}, range, timeZone = 'UTC' }: Query,
  stepMs: number,
): boolean {
  const intervals = Object.values(dimensions).flatMap((one) =>
    one.kind === 'time' ? [one.interval] : [],
  );
  if (intervals.length === 0) return true;
  if (intervals.includes('minute')) return false;
  if (intervals.includes('hour') && stepMs > QUARTER_MS) return false;
  const spans = offsetSpans(range.from, range.to, timeZone);
  return spans.every(({ offsetMs }) => offsetMs % stepMs === 0);
}

/** Values that a field is held to by equality; undefined where it is not. */
export function heldTo(
  filter: Filter | undefined,
  field: FieldName,
): readonly string[] | undefined {
  for (const part of partsOf(filter)) {
    if (part.kind === 'equals' && part.field === field) return [String(part.value)];
    if (part.kind === 'in' && part.field === field) return part.values.map(String);
  }
  return undefined;
}

function dirtyDays(dirty: readonly DirtyDay[], filter: Filter | undefined): readonly number[] {
  const [apps, asked] = [heldTo(filter, 'app'), heldTo(filter, 'item')];
  const days = dirty.flatMap(({ app, day, items }) => {
    const isOfItems = !asked || !items || asked.some((item) => items.has(item));
    return (apps?.includes(app) ?? true) && isOfItems ? [day] : [];
  });
  return [...new Set(days)].toSorted((a, b) => a - b);
}

/** What sorted stretches leave of a range. */
function between(stretches: readonly Range[], { from, to }: Range): readonly Range[] {
  const ends = [from, ...stretches.map((one) => one.to)];
  return within(
    ends.map((end, index) => ({ from: end, to: stretches[index]?.from ?? to })),
    { from, to },
  );
}

/** What of some stretches lies in a range. */
function within(stretches: readonly Range[], { from, to }: Range): readonly Range[] {
  return stretches
    .map((one) => ({ from: Math.max(one.from, from), to: Math.min(one.to, to) }))
    .filter((part) => part.from < part.to);
}

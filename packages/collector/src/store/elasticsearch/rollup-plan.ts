import { beyondDeclared } from '../../query/beyond-declared.ts';
import { fieldsOf } from '../../query/fields-of.ts';
import type { Filter, Interval, Query, Range } from '../../query/query.ts';
import { offsetSpans } from '../../query/time-zone.ts';
import { type Clause, instants, type Within } from './compile.ts';
import { type DeclaredRollup, FIELDS_OF_DECLARED } from './declared-rollup.ts';
import {
  COUNTS,
  counts,
  countsNames,
  DAY_MS,
  QUARTER_MS,
  type Rollup,
  type Table,
  versionAt,
} from './rollup.ts';

/** Buckets of such a length begin with a step wherever the zone's offset is a whole number of them. */
const BUCKET_MS: Readonly<Record<Interval, number>> = {
  minute: 60_000,
  hour: 4 * QUARTER_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: DAY_MS,
};

/** A daily index whose events are counted, all of them and no other. */
export interface Counted {
  readonly index: string;
  /** The index has been dropped: its events are in the counts alone. */
  readonly isOutlived: boolean;
  readonly version: string;
  /** Epoch ms, half open: the days in which its events happened, which may be others than its own. */
  readonly range: Range;
  /** The indices that hold the counts, by their place. */
  readonly at: Readonly<Record<string, string>>;
}

/** Of a rollup: where the events are counted, and where they have to be read. */
export interface Coverage {
  readonly counted: readonly Counted[];
  /** Epoch ms: the days before this one may have been dropped before they were counted. */
  readonly since: number;
  /** Daily indices that are not counted, or have changed since. */
  readonly live: readonly string[];
  /** Writes that each daily index has had, by its name. */
  readonly writes: ReadonlyMap<string, number>;
}

/** By the name of the rollup. */
export type RollupState = ReadonlyMap<string, Coverage>;

/** What a search goes over. */
export interface Source {
  readonly indices: readonly string[];
  readonly within: Within;
}

/**
 * Counts of the tock are found and grouped as events are, so that one search goes over both: each
 * count weighs as much as its events.
 */
export interface CountsPlan extends Source {
  readonly kind: 'counts';
}

/** Those of a declared query hold what its rows are made of. */
export interface DeclaredPlan {
  readonly kind: 'declared';
  readonly counted: Source;
  /** What the query asks beyond the filter by which events were counted. */
  readonly filter: Filter;
  readonly live: Source | undefined;
}

export type RollupPlan = CountsPlan | DeclaredPlan;

/** Whether counts could answer a query, were there any. */
export function isCountable(query: Query, declared: readonly DeclaredRollup[]): boolean {
  return aheadOf(query, declared) !== undefined;
}

/**
 * How a query is to be answered; undefined: from the events alone. Of the counted indices whole
 * steps are read from their counts and what is left at the ends of the range from their events.
 */
export function planRollups(
  query: Query,
  state: RollupState,
  declared: readonly DeclaredRollup[],
): RollupPlan | undefined {
  const ahead = aheadOf(query, declared);
  const sources = ahead && sourcesOf(query, ahead.table, state.get(ahead.rollup.name));
  if (!sources) return undefined;
  return ahead.filter === undefined
    ? { kind: 'counts', ...together(sources) }
    : { kind: 'declared', filter: ahead.filter, ...sources };
}

/**
 * Writes that the indices have had whose events are read beside the counts: no fewer than those
 * events. Of a query that no counts answer, infinitely many.
 */
export function writesBeside(
  query: Query,
  state: RollupState,
  declared: readonly DeclaredRollup[],
): number {
  const ahead = aheadOf(query, declared);
  const coverage = ahead && state.get(ahead.rollup.name);
  const sources = ahead && sourcesOf(query, ahead.table, coverage);
  if (!sources) return Number.POSITIVE_INFINITY;
  const { indices = [] } = sources.live ?? {};
  return indices.reduce((sum, index) => sum + (coverage?.writes.get(index) ?? 0), 0);
}

/**
 * Epoch ms: the first day of which the counts are there, or the events, that answer a query about
 * whole days of UTC; Infinity where no counts could.
 */
export function countsFrom(
  query: Query,
  state: RollupState,
  declared: readonly DeclaredRollup[],
): number {
  const ahead = aheadOf(query, declared);
  return (ahead && state.get(ahead.rollup.name)?.since) ?? Number.POSITIVE_INFINITY;
}

/** The counts that could answer a query, were there any. */
interface Ahead {
  readonly rollup: Rollup;
  readonly table: Table;
  /** Of a declared query: what is asked beyond the filter by which events were counted. */
  readonly filter?: Filter;
}

function aheadOf(query: Query, declared: readonly DeclaredRollup[]): Ahead | undefined {
  const table = countsOf(query);
  return table ? { rollup: counts, table } : tableOf(query, declared);
}

interface Sources {
  readonly counted: Source;
  readonly live: Source | undefined;
}

function together({ counted, live }: Sources): Source {
  if (live === undefined) return counted;
  return {
    indices: [...counted.indices, ...live.indices],
    within: (range) => anyOf([counted.within(range), live.within(range)]),
  };
}

/** Undefined where no part of the range is counted. */
function sourcesOf(
  { range }: Query,
  table: Table,
  coverage: Coverage | undefined,
): Sources | undefined {
  if (coverage === undefined) return undefined;
  const { counted, live } = coverage;
  const { place, stepMs } = table;
  const whole = wholeSteps(range, stepMs);
  const concerned = counted.filter((one) => overlap(one.range, whole));
  if (concerned.length === 0) return undefined;
  const ends = endsOf(range, stepMs);
  const atEnds = counted.filter(
    (one) => !one.isOutlived && ends.some((end) => overlap(one.range, end)),
  );
  const versions = concerned.map(({ version }) => version);
  const events = [...new Set([...live, ...atEnds.map(({ index }) => index)])];
  return {
    counted: {
      indices: [...new Set(concerned.flatMap(({ at }) => at[place] ?? []))],
      within: (part) => {
        const steps = wholeSteps(part, stepMs);
        if (steps.from === steps.to) return anyOf([]);
        return among(versionAt(table), versions, steps);
      },
    },
    live: events.length === 0 ? undefined : { indices: events, within: eventsWithin },
  };

  function eventsWithin(part: Range): Clause {
    const parts = endsOf(part, stepMs).map((end) => among('_index', events, end));
    return anyOf(live.length === 0 ? parts : [among('_index', live, part), ...parts]);
  }
}

/** The counts that a query can be answered from, if any. */
function countsOf(query: Query): Table | undefined {
  const { measures, dimensions = {}, filter } = query;
  const measured = Object.values(measures);
  if (measured.some(({ kind }) => kind !== 'count')) return undefined;
  const fields = [
    ...Object.values(dimensions).flatMap((one) => (one.kind === 'field' ? [one.field] : [])),
    ...[filter, ...measured.map(({ where }) => where)].flatMap((one) => (one ? fieldsOf(one) : [])),
  ];
  const name = countsNames.find((one) => {
    const known: readonly string[] = COUNTS[one].fields;
    return (
      isFineEnough(query, COUNTS[one].stepMs) && fields.every((field) => known.includes(field))
    );
  });
  return counts.tables.find((table) => table.name === name);
}

function tableOf(query: Query, declared: readonly DeclaredRollup[]): Required<Ahead> | undefined {
  for (const rollup of declared) {
    const filter = beyondDeclared(query, rollup.query, FIELDS_OF_DECLARED);
    const table = filter && rollup.tables.find(({ stepMs }) => isFineEnough(query, stepMs));
    if (table) return { rollup, table, filter };
  }
  return undefined;
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
  const offsets = offsetSpans(range.from, range.to, timeZone).map(({ offsetMs }) => offsetMs);
  const steps = [...intervals.map((interval) => BUCKET_MS[interval]), ...offsets];
  return steps.every((step) => step % stepMs === 0);
}

/** The whole steps in a range; of a short one none, and it ends where it begins. */
function wholeSteps({ from, to }: Range, stepMs: number): Range {
  const first = Math.ceil(from / stepMs) * stepMs;
  return { from: first, to: Math.max(first, Math.floor(to / stepMs) * stepMs) };
}

/** What the whole steps leave of a range. */
function endsOf(range: Range, stepMs: number): readonly Range[] {
  const whole = wholeSteps(range, stepMs);
  if (whole.from === whole.to) return [range];
  const ends = [
    { from: range.from, to: whole.from },
    { from: whole.to, to: range.to },
  ];
  return ends.filter(({ from, to }) => from < to);
}

function among(field: string, values: readonly string[], { from, to }: Range): Clause {
  return {
    bool: {
      filter: [
        { terms: { [field]: [...values] } },
        { range: { '@timestamp': instants(from, to) } },
      ],
    },
  };
}

function anyOf(clauses: readonly Clause[]): Clause {
  const [first, ...others] = clauses;
  if (first === undefined) return { match_none: {} };
  return others.length === 0 ? first : { bool: { should: [...clauses], minimum_should_match: 1 } };
}

function overlap(a: Range, b: Range): boolean {
  return a.from < b.to && b.from < a.to;
}

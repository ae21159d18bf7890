import type { FieldName } from '../../event.ts';
import { fieldsOf } from '../../query/fields-of.ts';
import type { Interval, Query, Range } from '../../query/query.ts';
import { offsetSpans } from '../../query/time-zone.ts';
import { type Clause, instants } from './compile.ts';

export const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;

/** Buckets of such a length begin with a step wherever the zone's offset is a whole number of them. */
const BUCKET_MS: Readonly<Record<Interval, number>> = {
  minute: 60_000,
  hour: 4 * QUARTER_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: DAY_MS,
};

/** What is counted by what: a document stands for the events that are alike in these fields. */
export interface Kind {
  /** Length of the stretch of time that a document is of. Quarter hours make the hours of any zone. */
  readonly stepMs: number;
  readonly fields: readonly FieldName[];
}

/** From the smaller: the first that can answer a query does. */
export const COUNTS = {
  days: { stepMs: DAY_MS, fields: ['app', 'item', 'event', 'bot', 'format', 'referer'] },
  quarters: { stepMs: QUARTER_MS, fields: ['app', 'item', 'event', 'bot'] },
} as const satisfies Record<string, Kind>;

export type CountsName = keyof typeof COUNTS;

export const countsNames = Object.keys(COUNTS) as readonly CountsName[];

/** Names the count that a document belongs to. No event has it. */
export const VERSION = 'rollup.version';

/** A daily index whose events are counted, all of them and no other. */
export interface Counted {
  readonly index: string;
  readonly version: string;
  /** Epoch ms, half open: the days in which its events happened, which may be others than its own. */
  readonly range: Range;
  /** The indices that hold the counts. */
  readonly at: Readonly<Record<CountsName, string>>;
}

/** Where the events are counted, and where they have to be read. */
export interface RollupState {
  readonly counted: readonly Counted[];
  /** Daily indices that are not counted, or have changed since. */
  readonly live: readonly string[];
}

/** A search over counts and events at once: each count weighs as much as its events. */
export interface RollupPlan {
  readonly indices: readonly string[];
  /** The counts and events of a part of the query's range. */
  readonly within: (range: Range) => Clause;
}

/** More are asked for by a pattern: an address has its limit. */
const NAMED_MAX = 50;

/** Whether counts could answer a query, were there any. */
export function isCountable(query: Query): boolean {
  return countsOf(query) !== undefined;
}

/**
 * How a query is to be answered; undefined: from the events alone. Of the counted indices whole
 * steps are read from their counts and what is left at the ends of the range from their events.
 */
export function planRollups(
  prefix: string,
  query: Query,
  { counted, live }: RollupState,
): RollupPlan | undefined {
  const name = countsOf(query);
  if (name === undefined) return undefined;
  const { stepMs } = COUNTS[name];
  const whole = wholeSteps(query.range, stepMs);
  const concerned = counted.filter(({ range }) => overlap(range, whole));
  if (concerned.length === 0) return undefined;
  const ends = endsOf(query.range, stepMs);
  const atEnds = counted.filter(({ range }) => ends.some((end) => overlap(range, end)));
  const events = [...live, ...atEnds.map(({ index }) => index)];
  const versions = concerned.map(({ version }) => version);
  return {
    indices: [
      ...new Set(concerned.map(({ at }) => at[name])),
      ...(events.length > NAMED_MAX ? [`${prefix}-*`] : events),
    ],
    within: (range) => ({
      bool: {
        should: [
          ...countsWithin(versions, wholeSteps(range, stepMs)),
          ...(live.length === 0 ? [] : [eventsOf(live, range)]),
          ...endsOf(range, stepMs).map(allEvents),
        ],
        minimum_should_match: 1,
      },
    }),
  };
}

/** The counts that a query can be answered from, if any. */
function countsOf({
  measures,
  dimensions = {},
  filter,
  range,
  timeZone = 'UTC',
}: Query): CountsName | undefined {
  const measured = Object.values(measures);
  if (measured.some(({ kind }) => kind !== 'count')) return undefined;
  const grouped = Object.values(dimensions);
  const intervals = grouped.flatMap((one) => (one.kind === 'time' ? [one.interval] : []));
  const steps = [
    ...intervals.map((interval) => BUCKET_MS[interval]),
    ...(intervals.length > 0 ? offsetsOf(range, timeZone) : []),
  ];
  const fields = [
    ...grouped.flatMap((one) => (one.kind === 'field' ? [one.field] : [])),
    ...[filter, ...measured.map(({ where }) => where)].flatMap((one) => (one ? fieldsOf(one) : [])),
  ];
  return countsNames.find((name) => {
    const { stepMs, fields: known }: Kind = COUNTS[name];
    return (
      steps.every((step) => step % stepMs === 0) &&
      fields.every((field) => (known as readonly string[]).includes(field))
    );
  });
}

function offsetsOf({ from, to }: Range, timeZone: string): readonly number[] {
  return offsetSpans(from, to, timeZone).map(({ offsetMs }) => offsetMs);
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

function countsWithin(versions: readonly string[], { from, to }: Range): Clause[] {
  if (from === to) return [];
  const counted = { terms: { [VERSION]: [...versions] } };
  return [{ bool: { filter: [counted, { range: { '@timestamp': instants(from, to) } }] } }];
}

function eventsOf(indices: readonly string[], { from, to }: Range): Clause {
  const there = { terms: { _index: [...indices] } };
  return { bool: { filter: [there, { range: { '@timestamp': instants(from, to) } }] } };
}

function allEvents({ from, to }: Range): Clause {
  return {
    bool: {
      filter: [{ range: { '@timestamp': instants(from, to) } }],
      must_not: [{ exists: { field: VERSION } }],
    },
  };
}

function overlap(a: Range, b: Range): boolean {
  return a.from < b.to && b.from < a.to;
}

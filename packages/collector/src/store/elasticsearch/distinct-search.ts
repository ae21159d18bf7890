import {
  QUERY_LIMITS,
  type Dimension,
  type Interval,
  type Measure,
  type Query,
  type Range,
  type Row,
} from '../../query/query.ts';
import {
  compileAround,
  compileFilter,
  textPath,
  type Aggregation,
  type Aggregations,
  type SearchBody,
  type Slice,
} from './compile.ts';
import { isCut, type Answer, type Leaf } from './rows.ts';

export type Distinct = Measure & { readonly kind: 'distinct' };

/** Of the estimates: standard deviation 0.8%, 16 KiB for each row. */
const ESTIMATE_PRECISION = 3_000;
/** Values of one row that are grouped: more than any row has that is counted so. */
const VALUES_MAX = QUERY_LIMITS.distinctExactMax * 1.2;

/** The searches that count a query's distinct measures, as they are for all of its rows. */
export function compileDistinct(query: Query): readonly SearchBody[] {
  const measures = Object.values(query.measures).filter((measure) => measure.kind === 'distinct');
  return measures.map((measure) =>
    compileCounting(query, valuesOf(measure), { range: query.range }),
  );
}

export function compileCounting(query: Query, counting: Aggregations, slice: Slice): SearchBody {
  const { limit: _, order: __, ...all } = query;
  return compileAround(counting, all, slice);
}

/** Names that no dimension or measure can have. */
const VALUES = '_values';
const NUMBER = '_number';
const WHERE = '_where';
export const COUNTED = '_counted';

export const WITHOUT_VALUES = [`-**.${VALUES}.buckets`];

export function estimateOf(measure: Distinct): Aggregations {
  const field = textPath(measure.field);
  return narrowed(measure, {
    [NUMBER]: { cardinality: { field, precision_threshold: ESTIMATE_PRECISION } },
  });
}

export function valuesOf(measure: Distinct): Aggregations {
  const field = textPath(measure.field);
  return narrowed(measure, {
    [VALUES]: { terms: { field, size: VALUES_MAX, shard_size: VALUES_MAX } },
    [NUMBER]: { stats_bucket: { buckets_path: `${VALUES}>_count` } },
  });
}

function narrowed({ where }: Distinct, inside: Record<string, Aggregation>): Aggregations {
  return where ? { [WHERE]: { filter: compileFilter(where), aggs: inside } } : inside;
}

/** Without a number where there were more values than are counted here: the estimate holds. */
export function countedOf(leaf: Leaf): Row {
  const at = (leaf[WHERE] ?? leaf) as Leaf;
  const values = (at[VALUES] ?? {}) as Answer;
  const number = (at[NUMBER] ?? {}) as { readonly count?: number; readonly value?: number };
  return { [COUNTED]: isCut(values, false) ? null : (number.count ?? number.value ?? 0) };
}

/** The narrowest search that holds all groups of the rows. */
export function sliceOf({ dimensions = {}, range }: Query, batch: readonly Row[]): Slice {
  const only: Record<string, (string | number)[]> = {};
  let within = range;
  for (const [name, dimension] of Object.entries(dimensions)) {
    const values = [...new Set(batch.map((row) => row[name] ?? ''))];
    if (dimension.kind === 'field') only[name] = values;
    else within = intersection(within, spanOf(dimension, values.map(Number)));
  }
  return { range: within, only };
}

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** The longest that a bucket can last: an hour or day is longer where clocks are put back. */
const BUCKET_MS_MAX = {
  minute: MINUTE_MS,
  hour: 120 * MINUTE_MS,
  day: 1.25 * DAY_MS,
  week: 7.25 * DAY_MS,
  month: 31.25 * DAY_MS,
} as const satisfies Record<Interval, number>;

function spanOf({ interval }: Dimension & { kind: 'time' }, starts: readonly number[]): Range {
  const first = starts.reduce((a, b) => Math.min(a, b));
  const last = starts.reduce((a, b) => Math.max(a, b));
  return { from: first, to: last + BUCKET_MS_MAX[interval] };
}

function intersection(a: Range, b: Range): Range {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

import { compareUtf8 } from '../../query/order-rows.ts';
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
  GROUPS_MAX,
  textPath,
  type Aggregations,
  type Slice,
} from './compile.ts';
import { errorType, unavailable } from './connection.ts';
import { isCut, leavesOf, type Answer, type Leaf, type Rows } from './rows.ts';
import type { Search } from './run-query.ts';

/**
 * Elasticsearch estimates distinct counts, a few off even where they are small. So rows that may
 * hold up to `QUERY_LIMITS.distinctExactMax` are counted anew: their values become groups, and
 * only the number of these comes back. A row over the limit keeps its estimate.
 */
export async function countDistinct(
  search: Search,
  query: Query,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  let counted = rows;
  for (const [name, measure] of Object.entries(query.measures)) {
    if (measure.kind === 'distinct') {
      counted = await countMeasure(search, query, name, measure, counted);
    }
  }
  return counted;
}

/** A row with this estimate may still hold no more than `distinctExactMax`. */
const ESTIMATE_MAX = QUERY_LIMITS.distinctExactMax * 1.05;
/** Values of one row that are grouped: more than any row has that is counted here. */
const VALUES_MAX = QUERY_LIMITS.distinctExactMax * 1.2;
/** Values, as estimated, of the rows that one search counts. */
const SEARCH_VALUES_MAX = GROUPS_MAX * 0.8;

type Distinct = Measure & { readonly kind: 'distinct' };

async function countMeasure(
  search: Search,
  query: Query,
  name: string,
  measure: Distinct,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const estimate = (row: Row): number => Number(row[name]);
  const small = rows.filter((row) => estimate(row) > 0 && estimate(row) <= ESTIMATE_MAX);
  const exact = new Map<string, number>();
  for (const batch of batchesOf(inOrder(query, small), estimate)) {
    await countBatch(search, query, measure, batch, exact);
  }
  return rows.map((row) => ({ ...row, [name]: exact.get(keyOf(query, row)) ?? estimate(row) }));
}

async function countBatch(
  search: Search,
  query: Query,
  measure: Distinct,
  batch: readonly Row[],
  exact: Map<string, number>,
): Promise<void> {
  const counted = await tryBatch(search, query, measure, batch);
  if (counted !== 'cut') {
    for (const row of counted) {
      if (typeof row[COUNTED] === 'number') exact.set(keyOf(query, row), row[COUNTED]);
    }
    return;
  }
  // Rows between those of the batch can take too many groups; one row alone never does.
  if (batch.length === 1) throw unavailable('could not count the values of one row');
  const middle = Math.ceil(batch.length / 2);
  await countBatch(search, query, measure, batch.slice(0, middle), exact);
  await countBatch(search, query, measure, batch.slice(middle), exact);
}

async function tryBatch(
  search: Search,
  query: Query,
  measure: Distinct,
  batch: readonly Row[],
): Promise<Rows> {
  const whole = { dimensions: {}, ...query, limit: GROUPS_MAX };
  const slice = sliceOf(query, batch);
  try {
    const answer = await search({
      ...compileAround(valuesOf(measure), whole, slice),
      filter_path: [`-**.${VALUES}.buckets`],
    });
    return leavesOf(query, answer, false, numberOfValues);
  } catch (error) {
    if (errorType(error) === 'too_many_buckets_exception') return 'cut';
    throw error;
  }
}

/** Names that no dimension or measure can have. */
const VALUES = '_values';
const NUMBER = '_number';
const WHERE = '_where';
const COUNTED = '_counted';

function valuesOf({ field, where }: Distinct): Aggregations {
  const values: Aggregations = {
    [VALUES]: { terms: { field: textPath(field), size: VALUES_MAX, shard_size: VALUES_MAX } },
    [NUMBER]: { stats_bucket: { buckets_path: `${VALUES}>_count` } },
  };
  return where ? { [WHERE]: { filter: compileFilter(where), aggs: values } } : values;
}

/** Without a number where the values were more than counted here: the estimate holds. */
function numberOfValues(leaf: Leaf): Row {
  const at = (leaf[WHERE] ?? leaf) as Leaf;
  const values = (at[VALUES] ?? {}) as Answer;
  const { count = 0 } = (at[NUMBER] ?? {}) as { readonly count?: number };
  return { [COUNTED]: isCut(values, false) ? null : count };
}

/** The narrowest search that holds all groups of the rows. */
function sliceOf({ dimensions = {}, range }: Query, batch: readonly Row[]): Slice {
  const only: Record<string, (string | number)[]> = {};
  let narrowed = range;
  for (const [name, dimension] of Object.entries(dimensions)) {
    const values = [...new Set(batch.map((row) => row[name] ?? ''))];
    if (dimension.kind === 'field') only[name] = values;
    else narrowed = intersection(narrowed, spanOf(dimension, values.map(Number)));
  }
  return { range: narrowed, only };
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

function keyOf({ dimensions = {} }: Query, row: Row): string {
  return JSON.stringify(Object.keys(dimensions).map((name) => row[name]));
}

/** As Elasticsearch nests them, so that rows that follow each other share most of their groups. */
function inOrder({ dimensions = {} }: Query, rows: readonly Row[]): readonly Row[] {
  const names = Object.keys(dimensions);
  return rows.toSorted((a, b) => {
    for (const name of names) {
      const [x, y] = [a[name] ?? null, b[name] ?? null];
      const difference =
        typeof x === 'number' && typeof y === 'number' ? x - y : compareUtf8(String(x), String(y));
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function* batchesOf(
  rows: readonly Row[],
  estimate: (row: Row) => number,
): Generator<readonly Row[]> {
  let batch: Row[] = [];
  let values = 0;
  for (const row of rows) {
    if (batch.length > 0 && values + estimate(row) > SEARCH_VALUES_MAX) {
      yield batch;
      batch = [];
      values = 0;
    }
    batch.push(row);
    values += estimate(row);
  }
  if (batch.length > 0) yield batch;
}

/**
 * A question about events, as immutable data. Each store compiles it to its own dialect; nothing
 * here knows one. Names in `measures` and `dimensions` become the keys of the rows.
 */
export interface Query {
  readonly measures: Readonly<Record<string, Measure>>;
  /** In their order; none gives one row. */
  readonly dimensions?: Readonly<Record<string, Dimension>>;
  readonly filter?: Filter;
  readonly range: Range;
  /** IANA zone of time buckets; `UTC` when absent. */
  readonly timeZone?: string;
  /** Default: first measure, highest first. Ties, always, by the dimensions in their order, ascending by UTF-8 bytes. */
  readonly order?: readonly Order[];
  /** Rows at most; absent: all, up to `QUERY_LIMITS.rowsMax`. */
  readonly limit?: number;
  /**
   * What the rest is called: after `limit` rows comes one of the events that are in none of them, if
   * there are any. Of one dimension, a field of text. A value of this name is among the rest.
   */
  readonly others?: string;
}

/** Epoch milliseconds; half open. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * - `count` events; exact
 * - `distinct` values of a field; exact up to `QUERY_LIMITS.distinctExactMax` in each row, then
 *   within `QUERY_LIMITS.distinctError`
 * - `sum`, `average`, `min`, `max` of a numeric field; events without it are left out
 * - `percentile` of a numeric field, `at` in 0..100; exact up to `QUERY_LIMITS.percentileExactMax`
 *   values in each row, then the value at a rank within `QUERY_LIMITS.percentileRankError`
 *
 * `where` narrows one measure: only events for which it holds are counted. Measures of no events
 * are 0 for `count`, `distinct` and `sum`, else null.
 */
export type Measure = (
  | { readonly kind: 'count' }
  | { readonly kind: 'distinct'; readonly field: string }
  | { readonly kind: 'sum' | 'average' | 'min' | 'max'; readonly field: string }
  | { readonly kind: 'percentile'; readonly field: string; readonly at: number }
) & { readonly where?: Filter };

/**
 * - `field`: one row for each value; a multi-valued event counts once in each of its values;
 *   an event without the field is left out, or counted under `missing`
 * - `time`: one row for each bucket that has events, its start as epoch ms
 */
export type Dimension =
  | { readonly kind: 'field'; readonly field: string; readonly missing?: string }
  | { readonly kind: 'time'; readonly interval: Interval };

/** Calendar buckets in the query's zone; a week begins on Monday. */
export type Interval = 'minute' | 'hour' | 'day' | 'week' | 'month';

export type Scalar = string | number | boolean;

/** A field that an event lacks makes `equals`, `in`, `prefix`, `range` and `exists` false. */
export type Filter =
  | { readonly kind: 'equals'; readonly field: string; readonly value: Scalar }
  | { readonly kind: 'in'; readonly field: string; readonly values: readonly Scalar[] }
  | { readonly kind: 'prefix'; readonly field: string; readonly value: string }
  | { readonly kind: 'range'; readonly field: string; readonly gte?: number; readonly lt?: number }
  | { readonly kind: 'exists'; readonly field: string }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter };

export interface Order {
  /** Name of a measure or dimension. */
  readonly by: string;
  readonly direction: 'ascending' | 'descending';
}

/** Keys are the names of the query's dimensions and measures. */
export type Row = Readonly<Record<string, string | number | null>>;

export const QUERY_LIMITS = {
  rowsMax: 100_000,
  /** Rows beside which there is one of the others. */
  rowsBesideOthersMax: 10_000,
  distinctExactMax: 10_000,
  /** Relative, above `distinctExactMax`. */
  distinctError: 0.05,
  percentileExactMax: 10_000,
  /** Of all values, above `percentileExactMax`: a share of them, not of the value, which may be far off where values are. */
  percentileRankError: 0.01,
} as const;

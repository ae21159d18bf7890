import type { estypes } from '@elastic/elasticsearch';
import { FIELDS } from '../../event.ts';
import { resolveField } from '../../query/field.ts';
import { fullOrder } from '../../query/order-rows.ts';
import type {
  Dimension,
  Filter,
  Interval,
  Measure,
  Query,
  Range,
  Scalar,
} from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { ODD_HOUR_MS_MAX } from '../../query/time-zone.ts';
import { oddHourOf } from './odd-hours.ts';
import type { PagedSearch } from './select.ts';

/**
 * A query becomes one search: its dimensions are aggregations inside each other, its measures
 * those inside the innermost. Nothing here is exact by luck: `terms` keeps `GROUPS_MAX` groups on
 * every shard, and `rows.ts` takes its answer only when no shard cut any off. Otherwise the
 * search is repeated for slices of the query, which `Slice` describes.
 */
export interface SearchBody {
  readonly size: number;
  readonly track_total_hits: boolean;
  readonly query: Clause;
  readonly aggs: Aggregations;
}

/** Part of a query whose parts' rows together are the query's: some values of one dimension. */
export interface Slice {
  readonly range: Range;
  readonly partition?: {
    /** Name of the dimension whose values are dealt out by their hash. */
    readonly of: string;
    readonly index: number;
    readonly count: number;
  };
  /** The only values of a dimension, by its name. */
  readonly only?: Readonly<Record<string, readonly (string | number)[]>>;
}

/** Below Elasticsearch's default of 65,536 buckets in one answer (`search.max_buckets`). */
export const GROUPS_MAX = 50_000;

/** Where Elasticsearch's percentiles begin to be estimates is about this many values times twenty. */
const PERCENTILE_COMPRESSION = 500;

export type Clause = NonNullable<estypes.QueryDslQueryContainer>;
export type Aggregation = NonNullable<estypes.AggregationsAggregationContainer>;
export type Aggregations = Record<string, Aggregation>;

/** A measure, or the number of a field's values: what an average is made of beside their sum. */
export type Part =
  | Measure
  | { readonly kind: 'values'; readonly field: string; readonly where?: Filter };

/** A query that may ask for parts of measures. */
export type Asked = Omit<Query, 'measures'> & { readonly measures: Readonly<Record<string, Part>> };

/** Clause for the documents of a part of a query's range, be they events or counts of such. */
export type Within = (range: Range) => Clause;

/** `within`: where the documents are not all events of the range. */
export function compile(
  query: Asked,
  slice: Slice = { range: query.range },
  within?: Within,
): SearchBody {
  return compileAround(partAggregations(query.measures), query, slice, within);
}

/** The search of a query with something else in place of its measures. */
export function compileAround(
  innermost: Aggregations,
  query: Asked,
  slice: Slice,
  within?: Within,
): SearchBody {
  const dimensions = Object.entries(query.dimensions ?? {});
  const aggs = dimensions.reduceRight<Aggregations>(
    (inside, [name, dimension]) => ({
      [name]: dimensionAggregation(query, name, dimension, slice, inside),
    }),
    innermost,
  );
  const isTotal = dimensions.length === 0;
  return {
    size: 0,
    track_total_hits: isTotal && !within,
    query: queryOf(query, slice.range, within),
    aggs: isTotal && within ? { ...aggs, [TOTAL]: { filter: { match_all: {} } } } : aggs,
  };
}

/** Name of the aggregation that weighs all documents where the number of hits does not. */
export const TOTAL = '_total';

/** Name of the aggregation of the visitors that a scan reads. */
export const NEWEST = 'newest';

/**
 * The newest visitors of a scan. A visitor among the newest of all is among the newest of the
 * shard that has its last event, so the answer is exact.
 */
export function compileNewest({
  range,
  visitors: { having, limit },
}: Scan & Required<Pick<Scan, 'visitors'>>): SearchBody {
  return {
    size: 0,
    track_total_hits: false,
    query: queryOf({ filter: having }, range),
    aggs: {
      [NEWEST]: {
        terms: {
          field: 'user.id',
          size: limit,
          shard_size: limit,
          order: [{ last: 'desc' }, { _key: 'asc' }],
        },
        aggs: { last: { max: { field: '@timestamp' } } },
      },
    },
  };
}

/** The search of a scan, whose marks are named queries; `visitors`: those that it is held to. */
export function compileScan(
  { fields, marks = {}, filter, range }: Scan,
  visitors?: readonly string[],
): PagedSearch {
  const { bool } = queryOf(filter ? { filter } : {}, range);
  const only = visitors ? [{ terms: { 'user.id': [...visitors] } }] : [];
  const named = Object.entries(marks).map(([_name, mark]) => ({
    bool: { filter: [compileFilter(mark)], _name },
  }));
  return {
    query: { bool: { filter: [...bool.filter, ...only], should: named } },
    _source: false,
    docvalue_fields: fields.map((name) =>
      FIELDS[name].type === 'time'
        ? { field: FIELDS[name].at, format: 'epoch_millis' }
        : { field: FIELDS[name].at },
    ),
    sort: SCAN_SORT,
  };
}

const SCAN_SORT: estypes.Sort = [
  { 'user.id': { order: 'asc', missing: '_last' } },
  { '@timestamp': 'asc' },
  { 'journal.collector': 'asc' },
  { 'journal.sequence': 'asc' },
];

/**
 * Rows that Elasticsearch itself can cut to, in its own order: for one field ordered by counts
 * and its values. Undefined where it takes all rows to know the first.
 */
export function serverLimit(query: Asked): number | undefined {
  const dimensions = Object.values(query.dimensions ?? {});
  const { limit = Infinity, measures } = query;
  const ordered = fullOrder(query).every(({ by }) => (measures[by]?.kind ?? 'count') === 'count');
  return dimensions.length === 1 && dimensions[0]?.kind === 'field' && ordered && limit < GROUPS_MAX
    ? limit
    : undefined;
}

/** Events of a range for which the query's filter holds. */
export function queryOf(
  { filter }: Pick<Query, 'filter'>,
  range: Range,
  within: Within = eventsWithin,
): { bool: { filter: Clause[] } } {
  return { bool: { filter: [within(range), ...(filter ? [compileFilter(filter)] : [])] } };
}

function eventsWithin({ from, to }: Range): Clause {
  return { range: { '@timestamp': instants(from, to) } };
}

export function compileFilter(filter: Filter): Clause {
  switch (filter.kind) {
    case 'equals':
      return { term: { [textPath(filter.field)]: termOf(filter.field, filter.value) } };
    case 'in':
      return {
        terms: { [textPath(filter.field)]: filter.values.map((v) => termOf(filter.field, v)) },
      };
    case 'prefix':
      return { prefix: { [textPath(filter.field)]: filter.value } };
    case 'range':
      return rangeQuery(filter);
    case 'exists':
      return existsQuery(filter.field);
    case 'and':
      return { bool: { filter: filter.filters.map(compileFilter) } };
    case 'or':
      return filter.filters.length === 0
        ? { match_none: {} }
        : { bool: { should: filter.filters.map(compileFilter), minimum_should_match: 1 } };
    case 'not':
      return { bool: { must_not: [compileFilter(filter.filter)] } };
  }
}

/** Where a field's values are kept to be grouped, counted and compared with. */
export function textPath(name: string): string {
  const field = resolveField(name);
  return field.kind === 'known' ? field.at : `labels.${field.key}`;
}

function numberPath(name: string): string {
  const field = resolveField(name);
  return field.kind === 'known' ? field.at : `metrics.${field.key}`;
}

/** `exists` would read a `*` in an application's key as a pattern; a prefix of all does not. */
function existsQuery(name: string): Clause {
  const field = resolveField(name);
  return field.kind === 'known'
    ? { exists: { field: field.at } }
    : { prefix: { [textPath(name)]: '' } };
}

function termOf(name: string, value: Scalar): Scalar {
  const field = resolveField(name);
  const text = field.kind === 'application' || field.type === 'keyword' || field.type === 'boolean';
  return text ? String(value) : value;
}

function rangeQuery({ field, gte, lt }: Filter & { kind: 'range' }): Clause {
  if (gte === Infinity || lt === -Infinity) return { match_none: {} };
  const resolved = resolveField(field);
  const time = resolved.kind === 'known' && resolved.type === 'time';
  return { range: { [numberPath(field)]: time ? instants(gte, lt) : bounds(gte, lt) } };
}

export function instants(gte?: number, lt?: number): estypes.QueryDslRangeQuery {
  return { ...bounds(gte, lt), format: 'epoch_millis' };
}

function bounds(gte = -Infinity, lt = Infinity): { gte?: number; lt?: number } {
  return { ...(gte === -Infinity ? {} : { gte }), ...(lt === Infinity ? {} : { lt }) };
}

function dimensionAggregation(
  query: Asked,
  name: string,
  dimension: Dimension,
  slice: Slice,
  inside: Aggregations,
): Aggregation {
  if (dimension.kind === 'time') {
    return { date_histogram: histogramOf(dimension.interval, query), aggs: inside };
  }
  const limit = serverLimit(query);
  return {
    terms: {
      field: textPath(dimension.field),
      size: limit ?? GROUPS_MAX,
      shard_size: GROUPS_MAX,
      ...(limit === undefined ? {} : { order: termsOrder(query) }),
      ...(dimension.missing === undefined ? {} : { missing: dimension.missing }),
      ...includeOf(name, slice),
    },
    aggs: inside,
  };
}

function includeOf(
  name: string,
  { partition, only }: Slice,
): { include?: estypes.AggregationsTermsInclude } {
  const values = only?.[name];
  if (values) return { include: values.map(String) };
  if (partition?.of !== name) return {};
  return { include: { partition: partition.index, num_partitions: partition.count } };
}

function histogramOf(
  interval: Interval,
  { range, timeZone = 'UTC' }: Pick<Asked, 'range' | 'timeZone'>,
): estypes.AggregationsDateHistogramAggregation {
  const oddHour = interval === 'hour' ? oddHourOf(range, timeZone) : undefined;
  if (oddHour !== undefined) return singleBucket(oddHour, ODD_HOUR_MS_MAX);
  return {
    field: '@timestamp',
    calendar_interval: interval,
    time_zone: timeZone,
    min_doc_count: 1,
  };
}

/** Everything up to a length of time after its start (epoch ms). */
function singleBucket(
  start: number,
  lengthMs: number,
): estypes.AggregationsDateHistogramAggregation {
  return {
    field: '@timestamp',
    fixed_interval: `${lengthMs}ms`,
    offset: `${start % lengthMs}ms`,
    min_doc_count: 1,
  };
}

/** Elasticsearch orders text by its UTF-8 bytes, as rows are. */
function termsOrder(query: Asked): Record<string, 'asc' | 'desc'>[] {
  return fullOrder(query).map(({ by, direction }) => {
    const measure = query.measures[by];
    const key = measure === undefined ? '_key' : measure.where ? by : '_count';
    return { [key]: direction === 'ascending' ? 'asc' : 'desc' };
  });
}

/** Name of the aggregation inside a measure that has a `where`. */
export const NARROWED = 'narrowed';

export function partAggregations(measures: Asked['measures']): Aggregations {
  const named = Object.entries(measures).map(([name, measure]): Aggregations => {
    if (measure.kind === 'distinct') return { [name]: { filter: havingField(measure) } };
    const inside = partAggregation(measure);
    if (!measure.where) return inside ? { [name]: inside } : {};
    const aggs: Aggregations = inside ? { [NARROWED]: inside } : {};
    return { [name]: { filter: compileFilter(measure.where), aggs } };
  });
  return Object.assign({}, ...named) as Aggregations;
}

/** A distinct count begins as the number of events that have the field, see `distinct.ts`. */
function havingField({ field, where }: Measure & { kind: 'distinct' }): Clause {
  return { bool: { filter: [existsQuery(field), ...(where ? [compileFilter(where)] : [])] } };
}

/** Undefined for what the number of documents answers. */
function partAggregation(measure: Exclude<Part, { kind: 'distinct' }>): Aggregation | undefined {
  switch (measure.kind) {
    case 'count':
      return undefined;
    case 'sum':
      return { sum: { field: numberPath(measure.field) } };
    case 'values':
      return { value_count: { field: numberPath(measure.field) } };
    case 'average':
      return { avg: { field: numberPath(measure.field) } };
    case 'min':
      return { min: { field: numberPath(measure.field) } };
    case 'max':
      return { max: { field: numberPath(measure.field) } };
    case 'percentile':
      return {
        percentiles: {
          field: numberPath(measure.field),
          percents: [measure.at],
          keyed: false,
          tdigest: { compression: PERCENTILE_COMPRESSION },
        },
      };
  }
}

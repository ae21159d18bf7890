import type { Query, Row } from '../../query/query.ts';
import { unavailable } from './connection.ts';
import { type Asked, NARROWED, type Part, TOTAL } from './compile.ts';

/** What is read of an aggregation's answer. */
export interface Answer {
  readonly doc_count?: number;
  readonly value?: number | null;
  readonly values?: readonly { readonly value: number | null }[];
  readonly buckets?: readonly Bucket[];
  readonly doc_count_error_upper_bound?: number;
  readonly sum_other_doc_count?: number;
}

type Bucket = Answer & { readonly key: string | number } & Readonly<Record<string, unknown>>;

export interface SearchAnswer {
  readonly timed_out: boolean;
  readonly hits: {
    readonly total?: unknown;
    readonly hits: readonly { readonly _ignored?: readonly string[] }[];
  };
  readonly aggregations?: Readonly<Record<string, unknown>>;
}

/** Rows of one search, or that a shard or the answer left groups out. */
export type Rows = readonly Row[] | 'cut';

/** What Elasticsearch answered for one row: its measures' aggregations and `doc_count`. */
export type Leaf = Readonly<Record<string, unknown>>;

/** `limited`: Elasticsearch was asked for the first groups only, so the others are no loss. */
export function rowsOf(query: Asked, answer: SearchAnswer, limited: boolean): Rows {
  return leavesOf(query, answer, limited, (leaf) => measuresOf(query, leaf));
}

/** One row for each innermost group: its dimensions, and what `read` makes of the rest. */
export function leavesOf(
  { dimensions = {} }: Pick<Query, 'dimensions'>,
  answer: SearchAnswer,
  limited: boolean,
  read: (leaf: Leaf) => Row,
): Rows {
  if (answer.timed_out) throw unavailable('took too long to answer');
  const names = Object.keys(dimensions);
  const rows: Row[] = [];
  const visit = (at: Leaf, key: Row, depth: number): boolean => {
    const name = names[depth];
    if (name === undefined) return rows.push({ ...key, ...read(at) }) > 0;
    const level = (at[name] ?? {}) as Answer;
    if (isCut(level, limited)) return false;
    return (level.buckets ?? []).every((bucket) =>
      visit(bucket, { ...key, [name]: bucket.key }, depth + 1),
    );
  };
  const whole = visit({ ...answer.aggregations, doc_count: totalOf(answer) }, {}, 0);
  return whole ? rows : 'cut';
}

/** An error bound of 0 means that every shard sent all its groups, or enough in the order of keys. */
export function isCut(level: Answer, limited: boolean): boolean {
  const { doc_count_error_upper_bound: error = 0, sum_other_doc_count: others = 0 } = level;
  return error !== 0 || (!limited && others > 0);
}

function totalOf({ hits: { total }, aggregations }: SearchAnswer): number {
  const weighed = aggregations?.[TOTAL] as Answer | undefined;
  if (weighed) return weighed.doc_count ?? 0;
  return typeof total === 'object' && total !== null && 'value' in total ? Number(total.value) : 0;
}

export function measuresOf(query: Pick<Asked, 'measures'>, at: Leaf): Row {
  return Object.fromEntries(
    Object.entries(query.measures).map(([name, measure]) => {
      const own = (at[name] ?? {}) as Answer & Readonly<Record<string, unknown>>;
      if (measure.kind === 'distinct') return [name, own.doc_count ?? 0];
      if (measure.kind === 'count') {
        return [name, (measure.where ? own.doc_count : at['doc_count']) ?? 0];
      }
      const inner = measure.where ? ((own[NARROWED] ?? {}) as Answer) : own;
      return [name, valueOf(measure, inner)];
    }),
  ) as Row;
}

/** Elasticsearch leaves out aggregations when no index matches. */
function valueOf(
  measure: Exclude<Part, { kind: 'count' | 'distinct' }>,
  { value, values }: Answer,
): number | null {
  switch (measure.kind) {
    case 'percentile':
      return values?.[0]?.value ?? null;
    case 'sum':
    case 'values':
      return value ?? 0;
    case 'average':
    case 'min':
    case 'max':
      return value ?? null;
  }
}

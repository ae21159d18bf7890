import { EVENT_LIMITS } from '../../event.ts';
import { resolveField } from '../../query/field.ts';
import { compareUtf8, fullOrder } from '../../query/order-rows.ts';
import { QUERY_LIMITS, type Query, type Row } from '../../query/query.ts';
import { GROUPS_MAX, type Aggregations } from './compile.ts';
import { tooMuchAtOnce, unavailable } from './connection.ts';
import {
  compileCounting,
  COUNTED,
  countedOf,
  estimateOf,
  sliceOf,
  valuesOf,
  WITHOUT_VALUES,
  type Distinct,
} from './distinct-search.ts';
import { leavesOf, type Rows } from './rows.ts';
import type { Search } from './searches.ts';

/**
 * Elasticsearch only estimates distinct counts, a few off even where they are small, and at a cost
 * of many kilobytes for each group. So the search of a query counts the events that have the
 * field; then the rows that are asked for are counted anew. Their values become groups, and only
 * the number of these comes back. Rows that may hold more than `QUERY_LIMITS.distinctExactMax` are
 * estimated first, and keep the estimate if they do.
 */
export async function countDistinct(
  search: Search,
  query: Query,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  let counted = rows;
  for (const [name, measure] of Object.entries(query.measures)) {
    if (measure.kind !== 'distinct') continue;
    const counts = await new Counter(search, query, name, measure).count(counted);
    counted = counted.map((row) => ({ ...row, [name]: counts.get(keyOf(query, row)) ?? 0 }));
  }
  return counted;
}

/**
 * Leaves out rows that cannot be among the first `limit` of a query whose highest distinct count
 * comes first: no row has more values than events, so rows with fewer events than the last of
 * the best so far has values need no count. The rows keep their numbers of events.
 */
export async function highest(
  search: Search,
  query: Query,
  rows: readonly Row[],
  limit: number,
): Promise<readonly Row[]> {
  const [order] = fullOrder(query);
  const measure = order && query.measures[order.by];
  if (order?.direction !== 'descending' || measure?.kind !== 'distinct') return rows;
  const counter = new Counter(search, query, order.by, measure);
  const sorted = rows.toSorted((a, b) => counter.mostOf(b) - counter.mostOf(a));
  let best: Counted[] = [];
  const last = (): number => best[limit - 1]?.count ?? 0;
  for (const batch of counter.batchesOf(sorted)) {
    if (batch.every((row) => counter.mostOf(row) < last())) break;
    const counts = await counter.count(batch);
    const counted = batch.map((row) => ({ row, count: counts.get(keyOf(query, row)) ?? 0 }));
    best = [...best, ...counted].toSorted((a, b) => b.count - a.count);
    best = best.filter(({ count }) => count >= last());
  }
  return best.map(({ row }) => row);
}

interface Counted {
  readonly row: Row;
  readonly count: number;
}

/** A row with this estimate may still hold no more than `distinctExactMax`. */
const ESTIMATE_MAX = QUERY_LIMITS.distinctExactMax * 1.05;
/** Values of the rows that one search counts, as far as is known before. */
const SEARCH_VALUES_MAX = GROUPS_MAX * 0.8;
/** Rows that one search estimates or counts. */
const SEARCH_ROWS_MAX = 1_000;

/** Counts the values of one measure. Its rows hold the number of events that have the field. */
class Counter {
  readonly #search: Search;
  readonly #query: Query;
  readonly #name: string;
  readonly #measure: Distinct;
  readonly #valuesMax: number;

  constructor(search: Search, query: Query, name: string, measure: Distinct) {
    this.#search = search;
    this.#query = query;
    this.#name = name;
    this.#measure = measure;
    const field = resolveField(measure.field);
    const single = field.kind === 'known' && !field.many;
    this.#valuesMax = single ? 1 : EVENT_LIMITS.arrayValuesMax;
  }

  /** The most values that a row can have. */
  mostOf(row: Row): number {
    return this.#eventsOf(row) * this.#valuesMax;
  }

  /** The counts by `keyOf`; rows that are missing have none. */
  async count(rows: readonly Row[]): Promise<ReadonlyMap<string, number>> {
    const filled = rows.filter((row) => this.#eventsOf(row) > 0);
    const many = filled.filter((row) => this.mostOf(row) > QUERY_LIMITS.distinctExactMax);
    const counts = await this.#collect(chunksOf(many, SEARCH_ROWS_MAX), estimateOf(this.#measure));
    const few = filled.filter((row) => (counts.get(keyOf(this.#query, row)) ?? 0) <= ESTIMATE_MAX);
    const exact = await this.#collect(
      this.batchesOf(inOrder(this.#query, few), counts),
      valuesOf(this.#measure),
    );
    return new Map([...counts, ...exact]);
  }

  /** Rows for one search each. */
  *batchesOf(
    rows: readonly Row[],
    estimates: ReadonlyMap<string, number> = new Map(),
  ): Generator<readonly Row[]> {
    let batch: Row[] = [];
    let values = 0;
    for (const row of rows) {
      const own = estimates.get(keyOf(this.#query, row)) ?? this.#eventsOf(row);
      const full = values + own > SEARCH_VALUES_MAX || batch.length === SEARCH_ROWS_MAX;
      if (full && batch.length > 0) {
        yield batch;
        batch = [];
        values = 0;
      }
      batch.push(row);
      values += own;
    }
    if (batch.length > 0) yield batch;
  }

  #eventsOf(row: Row): number {
    return Number(row[this.#name]);
  }

  async #collect(
    batches: Iterable<readonly Row[]>,
    counting: Aggregations,
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const batch of batches) await this.#collectBatch(batch, counting, counts);
    return counts;
  }

  async #collectBatch(
    batch: readonly Row[],
    counting: Aggregations,
    counts: Map<string, number>,
  ): Promise<void> {
    const counted = await this.#tryBatch(batch, counting);
    if (counted !== 'cut') {
      for (const row of counted) {
        const { [COUNTED]: count } = row;
        if (typeof count === 'number') counts.set(keyOf(this.#query, row), count);
      }
      return;
    }
    // Rows between those of the batch can take too many groups; one row alone never does.
    if (batch.length === 1) throw unavailable('could not count the values of one row');
    const middle = Math.ceil(batch.length / 2);
    await this.#collectBatch(batch.slice(0, middle), counting, counts);
    await this.#collectBatch(batch.slice(middle), counting, counts);
  }

  async #tryBatch(batch: readonly Row[], counting: Aggregations): Promise<Rows> {
    try {
      const answer = await this.#search({
        ...compileCounting(this.#query, counting, sliceOf(this.#query, batch)),
        filter_path: WITHOUT_VALUES,
      });
      return leavesOf(this.#query, answer, false, countedOf);
    } catch (error) {
      if (tooMuchAtOnce(error)) return 'cut';
      throw error;
    }
  }
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

function* chunksOf(rows: readonly Row[], size: number): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}

import { MetronomeError } from '../../errors.ts';
import { fullOrder, orderRows } from '../../query/order-rows.ts';
import { QUERY_LIMITS, type Query, type Range, type Row } from '../../query/query.ts';
import { bucketStart } from '../../query/time-zone.ts';
import {
  type Asked,
  compile,
  GROUPS_MAX,
  queryOf,
  serverLimit,
  type Slice,
  textPath,
  type Within,
} from './compile.ts';
import { tooMuchAtOnce } from './connection.ts';
import { queryOfCounts, queryOfParts, rowsOfParts } from './declared-rollup.ts';
import { countDistinct, highest } from './distinct.ts';
import { checkNumericKeys } from './numeric-keys.ts';
import type { DeclaredPlan, RollupPlan, Source } from './rollup-plan.ts';
import { rowsOf, type Rows } from './rows.ts';
import type { Search } from './searches.ts';

/** A slice is cut into so many when a shard had to leave out groups. */
const SLICE_PARTS = 8;
/** Searches of one query. */
const SLICES_MAX = 512;
/** Groups of one query, all of which are held to order them. */
const ROWS_HELD_MAX = 1_000_000;

/**
 * Answers a query, which is checked, exactly: searches it whole and, where that would leave groups
 * out, in slices; then turns the distinct measures from numbers of events into what they are. See
 * `compile.ts` for the search and `distinct.ts` for the distinct counts.
 */
export async function runQuery(
  search: Search,
  query: Query,
  plan?: RollupPlan,
): Promise<readonly Row[]> {
  const limit = query.limit ?? QUERY_LIMITS.rowsMax;
  if (plan?.kind === 'declared') return (await rowsOfDeclared(search, query, plan)).slice(0, limit);
  await checkNumericKeys(search, query);
  const rows = await rowsIn(search, query, plan);
  const first = (all: readonly Row[]): readonly Row[] => orderRows(all, query).slice(0, limit);
  if (fullOrder(query).every(({ by }) => query.measures[by]?.kind !== 'distinct')) {
    return countDistinct(search, query, first(rows));
  }
  return first(await countDistinct(search, query, await highest(search, query, rows, limit)));
}

/** Of counts and events the parts of the rows, put together. */
async function rowsOfDeclared(
  search: Search,
  query: Query,
  { counted, filter, live }: DeclaredPlan,
): Promise<readonly Row[]> {
  if (live) await checkNumericKeys(searchIn(search, live.indices), query);
  const parts = await Promise.all([
    rowsIn(search, { ...queryOfCounts(query), filter }, counted),
    ...(live ? [rowsIn(search, queryOfParts(query), live)] : []),
  ]);
  return rowsOfParts(query, parts.flat());
}

function rowsIn(search: Search, query: Asked, among?: Source): Promise<readonly Row[]> {
  const source = {
    search: among ? searchIn(search, among.indices) : search,
    within: among?.within,
  };
  return sliceRows(source, query, { range: query.range }, { left: SLICES_MAX });
}

/** Where the rows come from: events, or counts and events by a plan. */
interface Sliced {
  readonly search: Search;
  readonly within: Within | undefined;
}

/** An index that has gone since the plan was made would be missing in the answer: so it fails. */
function searchIn(search: Search, indices: readonly string[]): Search {
  return (body) => search({ index: [...indices], ignore_unavailable: false, ...body });
}

async function sliceRows(
  source: Sliced,
  query: Asked,
  slice: Slice,
  slices: { left: number },
): Promise<readonly Row[]> {
  if (slices.left-- === 0) throw tooManyGroups();
  const rows = await trySlice(source, query, slice);
  if (rows !== 'cut') return rows;
  const parts: Row[] = [];
  for (const part of await partsOf(source, query, slice)) {
    for (const row of await sliceRows(source, query, part, slices)) parts.push(row);
    if (parts.length > ROWS_HELD_MAX) throw tooManyGroups();
  }
  return parts;
}

async function trySlice({ search, within }: Sliced, query: Asked, slice: Slice): Promise<Rows> {
  try {
    const answer = await search(compile(query, slice, within));
    return rowsOf(query, answer, serverLimit(query) !== undefined);
  } catch (error) {
    if (tooMuchAtOnce(error)) return 'cut';
    throw error;
  }
}

/** Deals out the values of the field with the most, or halves the time where there is no field. */
async function partsOf(source: Sliced, query: Asked, slice: Slice): Promise<readonly Slice[]> {
  const { range, partition } = slice;
  if (partition) {
    const count = partition.count * SLICE_PARTS;
    return Array.from({ length: SLICE_PARTS }, (_, part) => ({
      range,
      partition: { ...partition, count, index: partition.index + part * partition.count },
    }));
  }
  const widest = await widestDimension(source, query);
  if (widest === undefined) return halvesOf(query, range);
  const count = Math.max(2, Math.ceil((2 * widest.values) / GROUPS_MAX));
  return Array.from({ length: count }, (_, index) => ({
    range,
    partition: { of: widest.name, index, count },
  }));
}

async function widestDimension(
  { search, within }: Sliced,
  query: Asked,
): Promise<{ readonly name: string; readonly values: number } | undefined> {
  const fields = Object.entries(query.dimensions ?? {}).flatMap(([name, dimension]) =>
    dimension.kind === 'field' ? [{ name, field: textPath(dimension.field) }] : [],
  );
  if (fields.length === 0) return undefined;
  const answer = await search({
    size: 0,
    query: queryOf(query, query.range, within),
    aggs: Object.fromEntries(fields.map(({ name, field }) => [name, { cardinality: { field } }])),
  });
  const sizes = fields.map(({ name }) => {
    const { value = 0 } = (answer.aggregations?.[name] ?? {}) as { value?: number };
    return { name, values: value };
  });
  return sizes.toSorted((a, b) => b.values - a.values)[0];
}

function halvesOf(query: Asked, { from, to }: Range): readonly Slice[] {
  const intervals = Object.values(query.dimensions ?? {}).flatMap((dimension) =>
    dimension.kind === 'time' ? [dimension.interval] : [],
  );
  const finest = (['minute', 'hour', 'day', 'week', 'month'] as const).find((interval) =>
    intervals.includes(interval),
  );
  if (finest === undefined) throw tooManyGroups();
  const middle = bucketStart(Math.floor((from + to) / 2), finest, query.timeZone ?? 'UTC');
  if (middle <= from) throw tooManyGroups();
  return [{ range: { from, to: middle } }, { range: { from: middle, to } }];
}

function tooManyGroups(): MetronomeError {
  return new MetronomeError(
    'bad-request',
    'the query has too many groups: shorten its range, or group by fewer fields',
  );
}

import type { DuckDBValue } from '@duckdb/node-api';
import { partsOf } from '../../query/beyond-declared.ts';
import { orderRows } from '../../query/order-rows.ts';
import { type Filter, type Query, QUERY_LIMITS, type Row } from '../../query/query.ts';
import { compileTogether } from './compile.ts';
import { heldTo, planCounts, type RollupState } from './rollup-plan.ts';
import { toRows } from './rows.ts';
import type { Statement } from './session.ts';

/** One statement for several queries, and how its rows are told apart. */
export interface Together extends Statement {
  rowsOf(query: Query, values: readonly (readonly DuckDBValue[])[]): readonly Row[];
}

/**
 * Queries that may be answered by one statement, by what they ask about: counts by one dimension of
 * one item. Of a tock, whose statements are planned for longer than they run, that saves two.
 */
export function groupsOf(queries: readonly Query[]): readonly (readonly Query[])[] {
  const groups = Map.groupBy(queries, (query) => {
    const { range, timeZone, filter } = query;
    const about = [range, timeZone, heldTo(filter, 'app'), heldTo(filter, 'item')];
    return isCountOfItem(query) ? JSON.stringify(about) : query;
  });
  return [...groups.values()];
}

/** Undefined where there is no rollup that all of them can be answered from. */
export function together(queries: readonly Query[], state: RollupState): Together | undefined {
  const [first, ...others] = queries;
  if (!first || others.length === 0) return undefined;
  const all: Query = {
    ...first,
    dimensions: Object.fromEntries(
      queries.map(({ dimensions = {} }, index) => [`d${index}`, Object.values(dimensions)[0]]),
    ) as NonNullable<Query['dimensions']>,
    filter: { kind: 'and', filters: queries.flatMap(({ filter }) => partsOf(filter)) },
  };
  const plan = planCounts(all, state);
  if (plan === undefined) return undefined;
  const shared = partsOf(first.filter).filter((part) => queries.every((one) => has(one, part)));
  const own = queries.map((query): Filter => ({
    kind: 'and',
    filters: partsOf(query.filter).filter((part) => !shared.some((one) => isSame(one, part))),
  }));
  const compiled = compileTogether({ ...all, filter: { kind: 'and', filters: shared } }, own, plan);
  return {
    ...compiled,
    rowsOf(query, values) {
      const index = queries.indexOf(query);
      const counted = values.flatMap((row) => {
        const [set, value = null, count = null] = [row[0], row[1 + index], row.at(-1)];
        return Number(set) === index && value !== null && Number(count) > 0 ? [[value, count]] : [];
      });
      const [name = ''] = Object.keys(query.dimensions ?? {});
      const columns = [name, ...Object.keys(query.measures)];
      const localStarts = new Set(compiled.localStarts.has(`d${index}`) ? [name] : []);
      const rows = toRows(counted, { columns, localStarts }, query.timeZone ?? 'UTC');
      return orderRows(rows, query).slice(0, query.limit ?? QUERY_LIMITS.rowsMax);
    },
  };
}

function isCountOfItem({ measures, dimensions = {}, filter }: Query): boolean {
  const [measure, ...more] = Object.values(measures);
  const isCount = measure?.kind === 'count' && !measure.where && more.length === 0;
  return isCount && Object.keys(dimensions).length === 1 && heldTo(filter, 'item')?.length === 1;
}

function has(query: Query, part: Filter): boolean {
  return partsOf(query.filter).some((one) => isSame(one, part));
}

function isSame(a: Filter, b: Filter): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

import type { Query } from '../../query/query.ts';
import { type Asked, compile } from './compile.ts';
import { queryOfCounts, queryOfParts } from './declared-rollup.ts';
import { compileDistinct } from './distinct-search.ts';
import type { RollupPlan, Source } from './rollup-plan.ts';

export type ExplainedSearch = Readonly<Record<string, unknown>>;

/** The searches that answer a query, each with what it goes over; `events`: all there are. */
export function explainQuery(
  events: string,
  query: Query,
  plan: RollupPlan | undefined,
): readonly ExplainedSearch[] {
  if (plan === undefined) {
    const searches = [compile(query), ...compileDistinct(query)];
    return searches.map((search) => ({ index: events, ...search }));
  }
  if (plan.kind === 'counts') return [searchIn(plan, query)];
  const { counted, filter, live } = plan;
  return [
    searchIn(counted, { ...queryOfCounts(query), filter }),
    ...(live ? [searchIn(live, queryOfParts(query))] : []),
  ];
}

function searchIn({ indices, within }: Source, query: Asked): ExplainedSearch {
  return { index: indices, ...compile(query, undefined, within) };
}

import { checkQuery } from '../../query/check-query.ts';
import type { Query } from '../../query/query.ts';
import { type Asked, compile } from './compile.ts';
import { queryOfCounts, queryOfParts } from './declared-rollup.ts';
import { compileDistinct } from './distinct-search.ts';
import type { RollupPlan, Source } from './rollup-plan.ts';

/** The searches that answer a query, each with what it goes over, as JSON; `events`: all there are. */
export function explainQuery(events: string, query: Query, plan: RollupPlan | undefined): string {
  checkQuery(query);
  const searches = searchesOf(events, query, plan);
  return JSON.stringify(searches.length === 1 ? searches[0] : searches, null, 2);
}

function searchesOf(
  events: string,
  query: Query,
  plan: RollupPlan | undefined,
): readonly Readonly<Record<string, unknown>>[] {
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

function searchIn({ indices, within }: Source, query: Asked): Readonly<Record<string, unknown>> {
  return { index: indices, ...compile(query, undefined, within) };
}

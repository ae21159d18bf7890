import type { Client, estypes } from '@elastic/elasticsearch';
import type { Clause } from './compile.ts';
import { MetronomeError } from '../../errors.ts';
import type { Selection } from '../../event-store.ts';
import { ask, unavailable } from './connection.ts';

/** How long a snapshot of the indices outlives the last page read from it. */
const KEEP_ALIVE = '5m';

export type Hit = estypes.SearchHit<Record<string, unknown>>;

export interface Paging {
  readonly size: number;
  readonly sort: estypes.Sort;
  /** Fields of the source; default: all of it. */
  readonly source?: readonly string[];
  /** Whether each hit says its version. */
  readonly versions?: boolean;
}

/** What pages are made of: a query and what to read of each hit. */
export type PagedSearch = Pick<
  estypes.SearchRequest,
  'query' | '_source' | 'docvalue_fields' | 'seq_no_primary_term'
> & {
  readonly sort: estypes.Sort;
};

/** Pages over the selected events, see `pagesOf`. */
export async function* selectEvents(
  client: Client,
  prefix: string,
  selection: Selection,
  { size, sort, source, versions = false }: Paging,
): AsyncGenerator<readonly Hit[]> {
  const search = {
    query: selectionQuery(selection),
    sort,
    seq_no_primary_term: versions,
    ...(source ? { _source: [...source] } : {}),
  };
  yield* pagesOf(client, prefix, search, size);
}

/**
 * Pages over the hits of a search as they were at the first call, each once, whatever is written
 * or erased meanwhile.
 */
export async function* pagesOf(
  client: Client,
  prefix: string,
  search: PagedSearch,
  size: number,
): AsyncGenerator<readonly Hit[]> {
  const opened = await ask(() =>
    client.openPointInTime({
      index: `${prefix}-*`,
      keep_alive: KEEP_ALIVE,
      ignore_unavailable: true,
      allow_partial_search_results: false,
    }),
  );
  let id = opened.id;
  let after: estypes.SortResults | undefined;
  try {
    for (;;) {
      const page = await ask(() =>
        client.search<Record<string, unknown>>({
          pit: { id, keep_alive: KEEP_ALIVE },
          ...search,
          size,
          track_total_hits: false,
          allow_partial_search_results: false,
          ...(after ? { search_after: after } : {}),
        }),
      );
      if (page.timed_out) throw unavailable('took too long to answer');
      id = page.pit_id ?? id;
      const { hits } = page.hits;
      if (hits.length > 0) yield hits;
      if (hits.length < size) return;
      after = hits.at(-1)?.sort;
    }
  } finally {
    await ask(() => client.closePointInTime({ id }, { ignore: [404] }));
  }
}

export function selectionQuery(selection: Selection): Clause {
  const { app, visitor, item, from, to } = selection;
  const filter: Clause[] = [];
  if (app !== undefined) filter.push({ term: { 'service.name': app } });
  if (visitor !== undefined) filter.push({ term: { 'user.id': visitor } });
  if (item !== undefined) filter.push({ term: { item } });
  if (from !== undefined || to !== undefined) {
    const bounds = {
      ...(from === undefined ? {} : { gte: from }),
      ...(to === undefined ? {} : { lt: to }),
    };
    filter.push({ range: { '@timestamp': { ...bounds, format: 'epoch_millis' } } });
  }
  if (filter.length === 0) {
    throw new MetronomeError(
      'bad-request',
      'say which events: an app, a visitor, an item or a time',
    );
  }
  return { bool: { filter } };
}

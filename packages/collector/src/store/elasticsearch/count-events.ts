import type { Client, estypes } from '@elastic/elasticsearch';
import { FIELDS } from '../../event.ts';
import { type Aggregation, type Clause, compileFilter, partAggregations } from './compile.ts';
import { ask, unavailable } from './connection.ts';
import { type Group, isByItem, type Table } from './rollup.ts';
import { measuresOf } from './rows.ts';

/** Below Elasticsearch's default of 65,536 buckets in one answer, and of bytes in one bulk. */
const PAGE_COUNTS = 10_000;

/** A number of events that are alike, as a document. */
export interface Count {
  /** Start of its step, epoch ms. */
  readonly '@timestamp': number;
  /** Elasticsearch's own field: each aggregation counts the document so many times. */
  readonly _doc_count: number;
  /** The groups by which is counted, as in the events, and under `metrics` the values. */
  readonly [field: string]: unknown;
}

/**
 * Counts the events of an index, page by page; whole only if nothing is written meanwhile.
 *
 * Elasticsearch walks an index in the order of a field only where there is no query and every
 * document has it; then the pages together cost one pass over the index. So events with an item
 * come first, and those without, of which few differ, by themselves.
 */
export async function* countEvents(
  client: Client,
  index: string,
  table: Table,
): AsyncGenerator<readonly Count[]> {
  const { groups, filter } = table;
  if (filter || !isByItem(table)) {
    yield* pagesOf(client, index, table, filter && compileFilter(filter));
    return;
  }
  const withoutItem = groups.filter(({ at }) => at !== FIELDS.item.at);
  const item: Group = { at: FIELDS.item.at, isRequired: true };
  yield* pagesOf(client, index, { ...table, groups: [item, ...withoutItem] });
  const isNeeded = groups.some(({ at, isRequired }) => at === FIELDS.item.at && isRequired);
  if (!isNeeded) yield* pagesOf(client, index, { ...table, groups: withoutItem }, NO_ITEM);
}

const NO_ITEM: Clause = { bool: { must_not: [{ exists: { field: FIELDS.item.at } }] } };

const TIME = 'time';
const ALL = 'counts';

async function* pagesOf(
  client: Client,
  index: string,
  table: Table,
  query?: Clause,
): AsyncGenerator<readonly Count[]> {
  // What has no time is left out: it is what erasure has put in the place of an event.
  const sources = [
    ...table.groups.map(({ at, isRequired }, position) => ({
      [sourceName(position)]: { terms: { field: at, missing_bucket: isRequired !== true } },
    })),
    { [TIME]: { date_histogram: { field: '@timestamp', fixed_interval: `${table.stepMs}ms` } } },
  ] as estypes.AggregationsCompositeAggregation['sources'];
  let after: estypes.AggregationsCompositeAggregateKey | undefined;
  do {
    const counting = {
      composite: { size: PAGE_COUNTS, sources, ...(after ? { after } : {}) },
      aggs: partAggregations(table.values ?? {}),
    } as Aggregation;
    const page = await searchPage(client, index, counting, query);
    const buckets = Array.isArray(page?.buckets) ? page.buckets : [];
    if (buckets.length > 0) yield buckets.map((bucket) => countOf(bucket, table));
    after = page?.after_key;
  } while (after !== undefined);
}

function sourceName(position: number): string {
  return `group${position}`;
}

async function searchPage(
  client: Client,
  index: string,
  aggregation: Aggregation,
  query: Clause | undefined,
): Promise<estypes.AggregationsCompositeAggregate | undefined> {
  const answer = await ask(() =>
    client.search<unknown, Record<typeof ALL, estypes.AggregationsCompositeAggregate>>({
      index,
      size: 0,
      track_total_hits: false,
      allow_partial_search_results: false,
      request_cache: false,
      ...(query ? { query } : {}),
      aggs: { [ALL]: aggregation },
    }),
  );
  if (answer.timed_out) throw unavailable('took too long to answer');
  return answer.aggregations?.[ALL];
}

const LABELS = 'labels.';

function countOf(bucket: estypes.AggregationsCompositeBucket, { groups, values }: Table): Count {
  const fields: Record<string, unknown> = {};
  const labels: Record<string, unknown> = {};
  for (const [position, { at }] of groups.entries()) {
    const value: unknown = bucket.key[sourceName(position)] ?? null;
    if (value === null) continue;
    if (at.startsWith(LABELS)) labels[at.slice(LABELS.length)] = value;
    else fields[at] = value;
  }
  return {
    ...fields,
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(values && { metrics: measuresOf({ measures: values }, bucket) }),
    '@timestamp': Number(bucket.key[TIME]),
    _doc_count: bucket.doc_count,
  };
}

import type { Client, estypes } from '@elastic/elasticsearch';
import { FIELDS, type FieldName } from '../../event.ts';
import type { Aggregation, Clause } from './compile.ts';
import { ask, unavailable } from './connection.ts';
import { COUNTS, type CountsName, type Kind } from './rollup-plan.ts';

/** Below Elasticsearch's default of 65,536 buckets in one answer, and of bytes in one bulk. */
const PAGE_COUNTS = 10_000;

/** A number of events that are alike, as a document. */
export interface Count {
  /** Start of its step, epoch ms. */
  readonly '@timestamp': number;
  /** Elasticsearch's own field: each aggregation counts the document so many times. */
  readonly _doc_count: number;
  /** The fields by which is counted, as in the events. */
  readonly [field: string]: string | number;
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
  name: CountsName,
): AsyncGenerator<readonly Count[]> {
  const { stepMs, fields }: Kind = COUNTS[name];
  const withoutItem = fields.filter((field) => field !== 'item');
  yield* pagesOf(client, index, { stepMs, fields: ['item', ...withoutItem] });
  yield* pagesOf(client, index, { stepMs, fields: withoutItem }, NO_ITEM);
}

const NO_ITEM: Clause = { bool: { must_not: [{ exists: { field: FIELDS.item.at } }] } };

const TIME = 'time';
const ALL = 'counts';

async function* pagesOf(
  client: Client,
  index: string,
  { stepMs, fields }: Kind,
  query?: Clause,
): AsyncGenerator<readonly Count[]> {
  // What has no time is left out: it is what erasure has put in the place of an event.
  const sources = [
    ...fields.map((name) => ({ [name]: { terms: sourceOf(name) } })),
    { [TIME]: { date_histogram: { field: '@timestamp', fixed_interval: `${stepMs}ms` } } },
  ] as estypes.AggregationsCompositeAggregation['sources'];
  let after: estypes.AggregationsCompositeAggregateKey | undefined;
  do {
    const composite = { size: PAGE_COUNTS, sources, ...(after ? { after } : {}) };
    const page = await searchPage(client, index, { composite } as Aggregation, query);
    const buckets = Array.isArray(page?.buckets) ? page.buckets : [];
    if (buckets.length > 0) yield buckets.map((bucket) => countOf(bucket, fields));
    after = page?.after_key;
  } while (after !== undefined);
}

/** What an event lacks is a group too. */
function sourceOf(name: FieldName): { field: string; missing_bucket?: boolean } {
  const { at } = FIELDS[name];
  return name === 'item' ? { field: at } : { field: at, missing_bucket: true };
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

function countOf(
  { key, doc_count: events }: estypes.AggregationsCompositeBucket,
  fields: Kind['fields'],
): Count {
  const values = fields.flatMap((name) => {
    const value: unknown = key[name] ?? null;
    return value === null ? [] : [[FIELDS[name].at, value as string]];
  });
  return {
    ...(Object.fromEntries(values) as Record<string, string>),
    '@timestamp': Number(key[TIME]),
    _doc_count: events,
  };
}

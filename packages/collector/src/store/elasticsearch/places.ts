import type { Client, estypes } from '@elastic/elasticsearch';
import type { PlaceCount } from '../../event-store.ts';
import { ask, unavailable } from './connection.ts';

const RANGES_MAX = 1_000;

/** Counts the events of a journal whose sequences lie in each range. */
export async function countPlaces(
  client: Client,
  prefix: string,
  collector: string,
  ranges: readonly Omit<PlaceCount, 'stored'>[],
): Promise<readonly PlaceCount[]> {
  const counts: PlaceCount[] = [];
  for (let start = 0; start < ranges.length; start += RANGES_MAX) {
    const page = ranges.slice(start, start + RANGES_MAX);
    const stored = await countRanges(client, prefix, collector, page);
    counts.push(...page.map((range, index) => ({ ...range, stored: stored[index] ?? 0 })));
  }
  return counts;
}

async function countRanges(
  client: Client,
  prefix: string,
  collector: string,
  ranges: readonly Omit<PlaceCount, 'stored'>[],
): Promise<readonly number[]> {
  const answer = await ask(() =>
    client.search<unknown, { places?: estypes.AggregationsRangeAggregate }>({
      index: `${prefix}-*`,
      size: 0,
      track_total_hits: false,
      query: { term: { 'journal.collector': collector } },
      aggs: {
        places: {
          range: {
            field: 'journal.sequence',
            keyed: true,
            ranges: ranges.map(({ first, last }, key) => ({
              key: `${key}`,
              from: first,
              to: last + 1,
            })),
          },
        },
      },
      allow_partial_search_results: false,
    }),
  );
  if (answer.timed_out) throw unavailable('took too long to answer');
  const buckets = answer.aggregations?.places?.buckets;
  return ranges.map((_, key) =>
    buckets && !Array.isArray(buckets) ? (buckets[`${key}`]?.doc_count ?? 0) : 0,
  );
}

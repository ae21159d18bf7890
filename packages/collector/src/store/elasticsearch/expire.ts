import type { Client, estypes } from '@elastic/elasticsearch';
import { ask, errorType, unavailable } from './connection.ts';
import { finishErasures } from './erase.ts';
import type { Gone, Plan, State } from './state.ts';
import { dayOfIndex } from './template.ts';

const COUNTS_PAGE = 1_000;

interface Expiry {
  readonly index: string;
  /** Elasticsearch's own name of the index: one of the same day that is made later is another. */
  readonly uuid: string;
  readonly counts: readonly Gone[];
}

/**
 * Drops the indices of the UTC days before `before` (`2026-11-23`), tombstones and all, and
 * returns how many events went. An index is closed to writes before it is counted, and what it
 * holds is planned in the state before it is dropped: whichever collector does it, and however
 * often it is interrupted, each event is counted once.
 */
export async function expireDays(
  client: Client,
  prefix: string,
  state: State,
  before: string,
): Promise<number> {
  let expired = await finishExpiries(client, state);
  for (const [index, uuid] of await indicesBefore(client, prefix, before)) {
    try {
      await closeToWrites(client, index);
      await finishErasures(client, state);
      const counts = await countSegments(client, index);
      const plan = await state.plan('expiring', `expired/${uuid}`, { index, uuid, counts });
      if (plan) expired += await execute(client, state, plan);
    } catch (error) {
      // Another collector was faster.
      if (errorType(error) !== 'index_not_found_exception') throw error;
    }
  }
  return expired + (await finishExpiries(client, state));
}

/** Ends what a crash interrupted, and returns how many events went. */
export async function finishExpiries(client: Client, state: State): Promise<number> {
  let expired = 0;
  for (const plan of await state.openPlans<Expiry>('expiring')) {
    expired += await execute(client, state, plan);
  }
  return expired;
}

async function execute(client: Client, state: State, plan: Plan<Expiry>): Promise<number> {
  const { index, uuid, counts } = plan.what;
  if ((await uuids(client, index)).get(index) === uuid) {
    await ask(() => client.indices.delete({ index }, { ignore: [404] }));
  }
  const first = await state.finish('expiring', plan, counts);
  return first ? counts.reduce((sum, { events }) => sum + events, 0) : 0;
}

async function indicesBefore(
  client: Client,
  prefix: string,
  before: string,
): Promise<readonly (readonly [index: string, uuid: string])[]> {
  return [...(await uuids(client, `${prefix}-*`))].filter(([index]) => {
    const day = dayOfIndex(prefix, index);
    return day !== undefined && day < before;
  });
}

async function uuids(client: Client, index: string): Promise<ReadonlyMap<string, string>> {
  const settings = await ask(() =>
    client.indices.getSettings({
      index,
      name: 'index.uuid',
      expand_wildcards: ['open', 'closed'],
      ignore_unavailable: true,
      allow_no_indices: true,
    }),
  );
  return new Map(
    Object.entries(settings).map(([name, found]) => [name, found.settings?.index?.uuid ?? '']),
  );
}

/** When it returns, no write is under way and none begins. One that somebody closed is opened. */
async function closeToWrites(client: Client, index: string): Promise<void> {
  await ask(() => client.indices.open({ index }));
  await ask(() => client.indices.addBlock({ index, block: 'write' }));
  await ask(() => client.indices.refresh({ index }));
}

/** The events of an index by their segments; tombstones have none. */
async function countSegments(client: Client, index: string): Promise<readonly Gone[]> {
  const counts: Gone[] = [];
  let after: estypes.AggregationsCompositeAggregateKey | undefined;
  do {
    const answer = await ask(() =>
      client.search<unknown, { segments: estypes.AggregationsCompositeAggregate }>({
        index,
        size: 0,
        track_total_hits: false,
        allow_partial_search_results: false,
        aggs: { segments: { composite: segmentsAfter(after) } },
      }),
    );
    if (answer.timed_out) throw unavailable('took too long to answer');
    const segments = answer.aggregations?.segments;
    const buckets = Array.isArray(segments?.buckets) ? segments.buckets : [];
    counts.push(
      ...buckets.map(({ key, doc_count: events }) => ({
        collector: String(key['collector']),
        segment: Number(key['segment']),
        events,
      })),
    );
    after = segments?.after_key;
  } while (after !== undefined);
  return counts;
}

function segmentsAfter(
  after: estypes.AggregationsCompositeAggregateKey | undefined,
): estypes.AggregationsCompositeAggregation {
  return {
    size: COUNTS_PAGE,
    sources: [
      { collector: { terms: { field: 'journal.collector' } } },
      { segment: { terms: { field: 'journal.segment' } } },
    ],
    ...(after ? { after } : {}),
  };
}

import type { Client, estypes } from '@elastic/elasticsearch';
import { ask, errorType, unavailable, refresh } from './connection.ts';
import { finishErasures, isErasing } from './erase.ts';
import { openToWrites } from './rollup-deletion.ts';
import type { Gone, Plan, State } from './state.ts';
import { dayOfIndex } from './template.ts';

const COUNTS_PAGE = 1_000;

interface Expiry {
  readonly index: string;
  /** Elasticsearch's own name of the index: one of the same day that is made later is another. */
  readonly uuid: string;
  readonly counts: readonly Gone[];
  /** Versions of rollups that stay when the index goes; absent: none. */
  readonly outliving?: readonly string[];
}

/** What to do about the counts of the indices that are dropped. */
export interface CountsKept {
  /** The versions that are to outlive an index to which nobody writes any more; made if need be. */
  readonly keep: (index: string) => Promise<readonly string[]>;
  readonly outlive: (version: string) => Promise<void>;
}

const TRIES_MAX = 5;

/**
 * Drops the indices of the UTC days before `before` (`2026-11-23`), tombstones and all, and
 * returns how many events went. An index is closed to writes before it is counted, and what it
 * holds is planned in the state before it is dropped: whichever collector does it, and however
 * often it is interrupted, each event is counted once. Counts of the days from `countsBefore` on
 * are kept.
 */
export async function expireDays(
  client: Client,
  prefix: string,
  state: State,
  counts: CountsKept,
  { before, countsBefore }: { readonly before: string; readonly countsBefore: string },
): Promise<number> {
  let expired = await finishExpiries(client, state, counts);
  for (const [index, uuid] of await indicesBefore(client, prefix, before)) {
    try {
      await closeToWrites(client, state, index);
      const areKept = (dayOfIndex(prefix, index) ?? '') >= countsBefore;
      const outliving = areKept ? await keep(client, index, counts) : [];
      const what = { index, uuid, counts: await countSegments(client, index), outliving };
      const plan = await state.plan('expiring', `expired/${uuid}`, what);
      if (plan) expired += await execute(client, state, plan, counts);
    } catch (error) {
      // Another collector was faster.
      if (errorType(error) !== 'index_not_found_exception') throw error;
    }
  }
  return expired + (await finishExpiries(client, state, counts));
}

/** What comes late must not wait where the counts have to. */
async function keep(client: Client, index: string, counts: CountsKept): Promise<readonly string[]> {
  try {
    return await counts.keep(index);
  } catch (error) {
    await openToWrites(client, index);
    throw error;
  }
}

/** Ends what a crash interrupted, and returns how many events went. */
export async function finishExpiries(
  client: Client,
  state: State,
  counts: CountsKept,
): Promise<number> {
  let expired = 0;
  for (const plan of await state.openPlans<Expiry>('expiring')) {
    expired += await execute(client, state, plan, counts);
  }
  return expired;
}

async function execute(
  client: Client,
  state: State,
  plan: Plan<Expiry>,
  { outlive }: CountsKept,
): Promise<number> {
  const { index, uuid, counts, outliving = [] } = plan.what;
  for (const version of outliving) await outlive(version);
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

/**
 * When it returns, no write is under way and none begins. One that somebody closed is opened. An
 * erasure that was planned and not carried out needs to write.
 */
async function closeToWrites(client: Client, state: State, index: string): Promise<void> {
  await ask(() => client.indices.open({ index }));
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    await ask(() => client.indices.addBlock({ index, block: 'write' }));
    if (!(await isErasing(state, index))) {
      await refresh(client, index);
      return;
    }
    await openToWrites(client, index);
    await finishErasures(client, state);
  }
  throw unavailable('has a day to drop in which events are being erased');
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

import type { Client } from '@elastic/elasticsearch';
import { randomUUID } from 'node:crypto';
import type { Selection } from '../../event-store.ts';
import { ask, unavailable } from './connection.ts';
import { selectEvents, type Hit } from './select.ts';
import type { ErasedCount, Erasure, State } from './state.ts';

/** Documents that are planned, deleted and counted together. */
const PAGE_EVENTS = 1_000;

const PLACE = ['journal.collector', 'journal.segment'];

/**
 * Deletes the selected events by their ids, for not every cluster has delete-by-query. Each page
 * is planned in the state before it is deleted, so that a crash loses no count; whatever an
 * earlier one left must be finished and refreshed before, and two erasures of the same events at
 * once would count them twice. Returns how many went.
 */
export async function eraseEvents(
  client: Client,
  prefix: string,
  state: State,
  selection: Selection,
): Promise<number> {
  const paging = { size: PAGE_EVENTS, sort: ['_shard_doc'], source: PLACE };
  let erased = 0;
  for await (const page of selectEvents(client, prefix, selection, paging)) {
    const erasure = erasureOf(page);
    await state.planErasure(erasure);
    await execute(client, state, erasure);
    erased += page.length;
  }
  return erased;
}

/** Ends what a crash interrupted. */
export async function finishErasures(client: Client, state: State): Promise<void> {
  for (const erasure of await state.openErasures()) await execute(client, state, erasure);
}

function erasureOf(page: readonly Hit[]): Erasure & { documents: { index: string; id: string }[] } {
  const counts = new Map<string, ErasedCount>();
  for (const { _source: source = {} } of page) {
    const collector = String(source['journal.collector']);
    const segment = Number(source['journal.segment']);
    const key = `${collector}/${segment}`;
    const { erased } = counts.get(key) ?? { erased: 0 };
    counts.set(key, { collector, segment, erased: erased + 1 });
  }
  return {
    id: randomUUID(),
    documents: page.map(({ _index, _id = '' }) => ({ index: _index, id: _id })),
    counts: [...counts.values()],
  };
}

async function execute(client: Client, state: State, erasure: Erasure): Promise<void> {
  const { documents = [] } = erasure;
  const answer = await ask(() =>
    client.bulk({
      operations: documents.map(({ index, id }) => ({ delete: { _index: index, _id: id } })),
    }),
  );
  for (const item of answer.items) {
    const status = item.delete?.status;
    if (status !== 200 && status !== 404) {
      throw unavailable(`refuses deletes for now (${item.delete?.error?.type ?? status})`);
    }
  }
  await state.finishErasure(erasure);
}

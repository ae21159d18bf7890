import type { Client } from '@elastic/elasticsearch';
import { randomUUID } from 'node:crypto';
import type { Selection } from '../../event-store.ts';
import { ask, unavailable } from './connection.ts';
import { selectEvents, type Hit } from './select.ts';
import type { Gone, Plan, State } from './state.ts';
import { type Address, keyOf, readPlaces, type Tombstone } from './twins.ts';

/** Documents that are planned, erased and counted together. */
const PAGE_EVENTS = 1_000;

const PLACE = ['journal.collector', 'journal.segment', 'journal.sequence'];

/** An event that is to be erased: its document, its place, and the version that was found. */
interface Erased extends Address {
  readonly collector: string;
  readonly segment: number;
  readonly sequence: number;
  readonly seqNo: number;
  readonly term: number;
}

type Erasure = Plan<readonly Erased[]>;

/**
 * Puts a tombstone in the place of each selected event, for not every cluster has
 * delete-by-query, and returns how many went. The event and its tombstone are one document, so
 * that at no moment neither is there. Each page is planned in the state before, so that a crash
 * loses no count.
 */
export async function eraseEvents(
  client: Client,
  prefix: string,
  state: State,
  selection: Selection,
): Promise<number> {
  const paging = { size: PAGE_EVENTS, sort: ['_shard_doc'], source: PLACE, versions: true };
  let erased = 0;
  for await (const page of selectEvents(client, prefix, selection, paging)) {
    const plan = await state.plan('erasing', randomUUID(), page.map(erasedOf));
    if (plan === undefined) throw unavailable('has an erasure of the same name');
    erased += await execute(client, state, plan);
  }
  return erased;
}

/** Ends what a crash interrupted. */
export async function finishErasures(client: Client, state: State): Promise<void> {
  for (const plan of await state.openPlans<readonly Erased[]>('erasing')) {
    await execute(client, state, plan);
  }
}

/** Whether events of an index are planned to be erased and may still be there. */
export async function isErasing(state: State, index: string): Promise<boolean> {
  const plans = await state.openPlans<readonly Erased[]>('erasing');
  return plans.some(({ what }) => what.some((event) => event.index === index));
}

function erasedOf({ _index, _id = '', _source: source = {}, _seq_no, _primary_term }: Hit): Erased {
  return {
    index: _index,
    id: _id,
    collector: String(source['journal.collector']),
    segment: Number(source['journal.segment']),
    sequence: Number(source['journal.sequence']),
    seqNo: Number(_seq_no),
    term: Number(_primary_term),
  };
}

/**
 * Whoever executes a plan, and however often, the same events are counted: those whose tombstone
 * is of this plan. Others were erased by another one, or their day is gone.
 */
async function execute(client: Client, state: State, plan: Erasure): Promise<number> {
  const { id, what } = plan;
  const conflicts = await bury(client, id, what);
  const tombstones = await readPlaces(client, conflicts);
  const others = new Set(
    conflicts.filter((document) => tombstones.get(keyOf(document))?.erasure !== id),
  );
  const gone = what.filter((document) => !others.has(document));
  await state.finish('erasing', plan, countsOf(gone));
  return gone.length;
}

/** Returns those that are no longer as they were found. */
async function bury(client: Client, by: string, all: readonly Erased[]): Promise<Erased[]> {
  const answer = await ask(() =>
    client.bulk<Tombstone>({
      operations: all.flatMap(({ index, id, collector, sequence, seqNo, term }) => [
        { index: { _index: index, _id: id, if_seq_no: seqNo, if_primary_term: term } },
        { 'erased.by': by, 'erased.collector': collector, 'erased.sequence': sequence },
      ]),
    }),
  );
  return all.filter((_, position) => {
    const { status, error } = answer.items[position]?.index ?? {};
    if (status === 200) return false;
    if (status === 409) return true;
    throw unavailable(`erases nothing for now (${error?.type ?? status})`);
  });
}

function countsOf(erased: readonly Erased[]): readonly Gone[] {
  const counts = new Map<string, Gone>();
  for (const { collector, segment } of erased) {
    const key = `${collector}/${segment}`;
    const { events } = counts.get(key) ?? { events: 0 };
    counts.set(key, { collector, segment, events: events + 1 });
  }
  return [...counts.values()];
}

import type { Client } from '@elastic/elasticsearch';
import type { Batch } from '../../event-store.ts';
import type { Outcome } from './append.ts';
import { ask, unavailable } from './connection.ts';
import type { Document } from './documents.ts';

/** Documents of one look-up by id. */
const LOOKUP_MAX = 1_000;

const TOMBSTONE_KEYS = [
  'erased.by',
  'erased.collector',
  'erased.sequence',
] as const satisfies readonly (keyof Tombstone)[];

/**
 * What is left of an erased event, under its own id in its own index: a retry or a replay meets
 * it as it would meet the event. No query does, for none of this is mapped. The place is there
 * for a delivery that a crash cut off, which brings the event from there once more.
 */
export interface Tombstone {
  readonly 'erased.by': string;
  readonly 'erased.collector': string;
  readonly 'erased.sequence': number;
}

/** Where in a journal a stored event came from, or one that is erased. */
interface Origin {
  readonly collector: unknown;
  readonly sequence: unknown;
  /** Id of the erasure that has left a tombstone here. */
  readonly erasure?: unknown;
}

export interface Address {
  readonly index: string;
  readonly id: string;
}

/** The event itself, written by a call that never heard the answer, or another of its identity. */
export function judge(twin: Origin, batch: Batch, { sequence }: Document): 'stored' | 'duplicate' {
  const same = twin.collector === batch.collector && twin.sequence === sequence;
  return same ? 'stored' : 'duplicate';
}

/**
 * Settles the events whose twin lies in another index than theirs, and returns the others. The
 * documents are gone through in their order, as if each were stored before the next, for they
 * cannot be looked up yet.
 */
export async function withoutTwins(
  client: Client,
  batch: Batch,
  documents: readonly Document[],
  earlier: Promise<unknown>,
  settle: (sequence: number, outcome: Outcome) => void,
): Promise<readonly Document[]> {
  const wandering = documents.filter(({ elsewhere }) => elsewhere.length > 0);
  if (wandering.length === 0) return documents;
  await earlier;
  const origins = new Map(await readPlaces(client, wandering.flatMap(addressesOf)));
  return documents.filter((document) => {
    const { sequence } = document;
    const twin = addressesOf(document)
      .map((address) => origins.get(keyOf(address)))
      .find((found) => found !== undefined);
    if (twin !== undefined) settle(sequence, judge(twin, batch, document));
    else origins.set(keyOf(document), { collector: batch.collector, sequence });
    return twin === undefined;
  });
}

function addressesOf({ id, index, elsewhere }: Document): Address[] {
  return [index, ...elsewhere].map((each) => ({ id, index: each }));
}

export function keyOf({ index, id }: Address): string {
  return `${index}/${id}`;
}

/** The journal places of the documents that exist, by `keyOf`; sees the last write. */
export async function readPlaces(
  client: Client,
  addresses: readonly Address[],
): Promise<ReadonlyMap<string, Origin>> {
  const places = new Map<string, Origin>();
  for (let start = 0; start < addresses.length; start += LOOKUP_MAX) {
    const docs = addresses
      .slice(start, start + LOOKUP_MAX)
      .map(({ index, id }) => ({ _index: index, _id: id }));
    const answer = await ask(() =>
      client.mget<Record<string, unknown>>({
        docs,
        _source_includes: ['journal.collector', 'journal.sequence', ...TOMBSTONE_KEYS],
      }),
    );
    for (const document of answer.docs) {
      if ('error' in document) {
        if (document.error.type === 'index_not_found_exception') continue;
        throw unavailable(`could not look up a document (${document.error.type})`);
      }
      if (!document.found) continue;
      const { _index: index, _id: id, _source: source } = document;
      places.set(keyOf({ index, id }), {
        collector: source?.['journal.collector'] ?? source?.['erased.collector'],
        sequence: source?.['journal.sequence'] ?? source?.['erased.sequence'],
        erasure: source?.['erased.by'],
      });
    }
  }
  return places;
}

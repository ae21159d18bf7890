import type { Client } from '@elastic/elasticsearch';
import type { Batch, Reject } from '../../event-store.ts';
import type { Bodies } from './bodies.ts';
import { createBulk } from './bulk.ts';
import { unavailable } from './connection.ts';
import { bulksOf, type Document } from './documents.ts';
import type { NumericMapping } from './numeric-mapping.ts';
import type { Turn } from './turns.ts';
import { judge, keyOf, readPlaces, withoutTwins } from './twins.ts';

/** Two keep a node busy while the third is read. */
const BULKS_AT_ONCE = 2;

/** What became of one event. */
export type Outcome = 'stored' | 'duplicate' | Reject;

/**
 * Creates the documents of a batch; the outcomes are in the order of its lines.
 *
 * Any document that Elasticsearch could not take for now fails the call: the next call with the
 * same batch meets those that were taken, and knows them as its own by their place.
 */
export async function createDocuments(
  client: Client,
  prefix: string,
  bodies: Bodies,
  numericMapping: NumericMapping,
  batch: Batch,
  { sentBefore, doneBefore, sent }: Turn,
): Promise<readonly Outcome[]> {
  await sentBefore;
  const outcomes: Outcome[] = [];
  const settle = (sequence: number, outcome: Outcome): void => {
    outcomes[sequence - batch.first] = outcome;
  };
  const conflicts: Document[] = [];
  const bulks = bulksOf(batch, prefix, settle);
  await forEachInFlight(bulks, doneBefore, sent, async (bulk, earlier) => {
    const fresh = await withoutTwins(client, batch, bulk, earlier, settle);
    await numericMapping.add(fresh);
    for (const { document, result } of await createBulk(client, bodies, batch.lines, fresh)) {
      if (result === 'conflict') conflicts.push(document);
      else settle(document.sequence, result);
    }
  });
  const twins = await readPlaces(client, conflicts);
  for (const document of conflicts) {
    const twin = twins.get(keyOf(document));
    // Erased between the two requests: a second try will say what it is now.
    if (twin === undefined) throw unavailable('lost a document while it was compared');
    settle(document.sequence, judge(twin, batch, document));
  }
  return outcomes;
}

/**
 * Takes the next item when one is done; `earlier` settles when all before it are, and `before`.
 * Says when there is none to begin with any more.
 */
async function forEachInFlight<T>(
  items: Iterable<T>,
  before: Promise<unknown>,
  allBegun: () => void,
  run: (item: T, earlier: Promise<unknown>) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let earlier = before;
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && failures.length === 0; next = iterator.next()) {
      const running = run(next.value, earlier);
      earlier = Promise.allSettled([earlier, running]);
      await running.catch((error: unknown) => failures.push(error));
    }
    allBegun();
  };
  // Nothing is under way any more when it throws: the batch may then be overwritten.
  await Promise.all(Array.from({ length: BULKS_AT_ONCE }, worker));
  if (failures.length > 0) throw failures[0];
}

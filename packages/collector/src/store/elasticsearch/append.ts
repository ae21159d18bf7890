import type { Client } from '@elastic/elasticsearch';
import type { Batch, Reject } from '../../event-store.ts';
import { createBulk } from './bulk.ts';
import { unavailable } from './connection.ts';
import { bulksOf, type Document } from './documents.ts';
import type { NumericMapping } from './numeric-mapping.ts';
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
  numericMapping: NumericMapping,
  batch: Batch,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const settle = (sequence: number, outcome: Outcome): void => {
    outcomes[sequence - batch.first] = outcome;
  };
  const conflicts: Document[] = [];
  await forEachInFlight(bulksOf(batch, prefix, settle), async (bulk, earlier) => {
    const fresh = await withoutTwins(client, batch, bulk, earlier, settle);
    await numericMapping.add(fresh);
    for (const { document, result } of await createBulk(client, fresh)) {
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

/** Takes the next item when one is done; `earlier` settles when all before it are done. */
async function forEachInFlight<T>(
  items: Iterable<T>,
  run: (item: T, earlier: Promise<unknown>) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let earlier: Promise<unknown> = Promise.resolve();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      const running = run(next.value, earlier);
      earlier = Promise.allSettled([earlier, running]);
      await running;
    }
  };
  await Promise.all(Array.from({ length: BULKS_AT_ONCE }, worker));
}

import type { Client } from '@elastic/elasticsearch';
import type { Batch, Reject } from '../../event-store.ts';
import { ask, CLUSTER_FAULTS, unavailable } from './connection.ts';
import { identify } from './identity.ts';
import { indexOfDay } from './template.ts';

/** Of one bulk request: where a node's throughput stops growing with it. */
const BULK_BYTES_MAX = 5 * 1024 ** 2;
const BULK_DOCUMENTS_MAX = 5_000;
const BULKS_AT_ONCE = 2;
/** Documents of one look-up by id. */
const LOOKUP_MAX = 1_000;

const NEWLINE = 0x0a;

/** What became of one event. */
export type Outcome = 'stored' | 'duplicate' | Reject;

type Settle = (sequence: number, outcome: Outcome) => void;

interface Document {
  readonly sequence: number;
  readonly line: Buffer;
  readonly index: string;
  readonly id: string;
  readonly elsewhere: readonly string[];
}

/**
 * Creates the documents of a batch; the outcomes are in the order of its lines. A document is the
 * journal's line as it is, byte for byte.
 *
 * Any document that Elasticsearch could not take for now fails the call: the next call with the
 * same batch meets those that were taken, and knows them as its own by their place.
 */
export async function createDocuments(
  client: Client,
  prefix: string,
  batch: Batch,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const settle: Settle = (sequence, outcome) => {
    outcomes[sequence - batch.first] = outcome;
  };
  const documents = documentsOf(batch, prefix, settle);
  const wanted = await withoutTwins(client, batch, documents, settle);
  const conflicts: Document[] = [];
  await forEachAtOnce(bulksOf(wanted), BULKS_AT_ONCE, async (bulk) => {
    for (const [index, item] of (await createBulk(client, bulk)).entries()) {
      const document = bulk[index];
      if (document === undefined) throw unavailable('answered a bulk with too many items');
      if (item === 'conflict') conflicts.push(document);
      else
        settle(
          document.sequence,
          item === 'created' ? 'stored' : { sequence: document.sequence, reason: item.reason },
        );
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

interface PlaceInJournal {
  readonly collector: unknown;
  readonly sequence: unknown;
}

function judge(twin: PlaceInJournal, batch: Batch, { sequence }: Document): Outcome {
  const same = twin.collector === batch.collector && twin.sequence === sequence;
  return same ? 'stored' : 'duplicate';
}

function documentsOf(batch: Batch, prefix: string, settle: Settle): Document[] {
  const documents: Document[] = [];
  let start = 0;
  for (let sequence = batch.first; start < batch.lines.length; sequence++) {
    const end = batch.lines.indexOf(NEWLINE, start) + 1;
    const line = batch.lines.subarray(start, end);
    start = end;
    const identity = identify(line.toString(), batch.collector, sequence);
    if (identity === undefined) {
      settle(sequence, { sequence, reason: 'it is no event with its times' });
      continue;
    }
    const { id, day, elsewhere } = identity;
    documents.push({
      sequence,
      line,
      id,
      index: indexOfDay(prefix, day),
      elsewhere: elsewhere.map((other) => indexOfDay(prefix, other)),
    });
  }
  return documents;
}

/**
 * Settles the events whose twin lies in another index. The batch is gone through in its order, as
 * if each event were stored before the next, for its twins cannot see each other yet.
 */
async function withoutTwins(
  client: Client,
  batch: Batch,
  documents: readonly Document[],
  settle: Settle,
): Promise<readonly Document[]> {
  const wandering = documents.filter(({ elsewhere }) => elsewhere.length > 0);
  if (wandering.length === 0) return documents;
  const addresses = wandering.flatMap(({ id, index, elsewhere }) =>
    [index, ...elsewhere].map((each) => ({ id, index: each })),
  );
  const places = new Map(await readPlaces(client, addresses));
  return documents.filter((document) => {
    const { id, index, elsewhere, sequence } = document;
    const twin = [index, ...elsewhere]
      .map((each) => places.get(keyOf({ id, index: each })))
      .find((found) => found !== undefined);
    if (twin === undefined) {
      places.set(keyOf(document), { collector: batch.collector, sequence });
      return true;
    }
    settle(sequence, judge(twin, batch, document));
    return false;
  });
}

interface Address {
  readonly index: string;
  readonly id: string;
}

function keyOf({ index, id }: Address): string {
  return `${index}/${id}`;
}

/** The journal places of the documents that exist, by `keyOf`; sees the last write. */
async function readPlaces(
  client: Client,
  addresses: readonly Address[],
): Promise<ReadonlyMap<string, PlaceInJournal>> {
  const places = new Map<string, PlaceInJournal>();
  for (let start = 0; start < addresses.length; start += LOOKUP_MAX) {
    const docs = addresses
      .slice(start, start + LOOKUP_MAX)
      .map(({ index, id }) => ({ _index: index, _id: id }));
    const answer = await ask(() =>
      client.mget<Record<string, unknown>>({
        docs,
        _source_includes: ['journal.collector', 'journal.sequence'],
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
        collector: source?.['journal.collector'],
        sequence: source?.['journal.sequence'],
      });
    }
  }
  return places;
}

type BulkItem = 'created' | 'conflict' | { readonly reason: string };

interface BulkAnswer {
  readonly errors: boolean;
  readonly items?: readonly {
    readonly create: { readonly status: number; readonly error?: BulkError };
  }[];
}

interface BulkError {
  readonly type: string;
  readonly reason?: string;
}

async function createBulk(client: Client, documents: readonly Document[]): Promise<BulkItem[]> {
  const answer = await ask(() =>
    client.transport.request<BulkAnswer>({
      method: 'POST',
      path: '/_bulk',
      querystring: {
        include_source_on_error: false,
        filter_path: 'errors,items.create.status,items.create.error.type,items.create.error.reason',
      },
      // The client types this as text, and sends a buffer as it is.
      bulkBody: bodyOf(documents) as unknown as string,
    }),
  );
  if (answer.items?.length !== documents.length)
    throw unavailable('answered a bulk with other items');
  return answer.items.map(({ create }) => bulkItem(create.status, create.error));
}

function bulkItem(status: number, error?: BulkError): BulkItem {
  if (status === 201) return 'created';
  if (status === 409) return 'conflict';
  const type = error?.type ?? 'an error';
  if (status !== 400 || CLUSTER_FAULTS.has(type)) {
    throw unavailable(`refuses documents for now (${type}, ${status}): ${error?.reason ?? ''}`);
  }
  return { reason: reasonOf(type, error?.reason ?? '') };
}

/** Elasticsearch quotes values in its reasons; only the names of field and type are kept. */
function reasonOf(type: string, reason: string): string {
  const field = /failed to parse field \[([\w.@]+)\] of type \[(\w+)\]/.exec(reason);
  if (field) return `\`${field[1]}\` does not read as ${field[2]} (${type})`;
  const object = /object mapping for \[([\w.@]+)\]/.exec(reason);
  if (object) return `\`${object[1]}\` is not of the kind that is kept under this name (${type})`;
  return `Elasticsearch cannot take it (${type})`;
}

function bodyOf(documents: readonly Document[]): Buffer {
  const parts: Buffer[] = [];
  for (const { index, id, line } of documents) {
    parts.push(Buffer.from(`{"create":{"_index":"${index}","_id":"${id}"}}\n`, 'latin1'), line);
  }
  return Buffer.concat(parts);
}

function* bulksOf(documents: readonly Document[]): Generator<Document[]> {
  let bulk: Document[] = [];
  let bytes = 0;
  for (const document of documents) {
    if (
      bulk.length === BULK_DOCUMENTS_MAX ||
      (bytes > 0 && bytes + document.line.length > BULK_BYTES_MAX)
    ) {
      yield bulk;
      bulk = [];
      bytes = 0;
    }
    bulk.push(document);
    bytes += document.line.length;
  }
  if (bulk.length > 0) yield bulk;
}

async function forEachAtOnce<T>(
  source: Iterable<T>,
  atOnce: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = source[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await run(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

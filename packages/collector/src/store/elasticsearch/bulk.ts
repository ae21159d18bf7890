import type { Client } from '@elastic/elasticsearch';
import type { Reject } from '../../event-store.ts';
import type { Bodies } from './bodies.ts';
import { ask, CLUSTER_FAULTS, isTooLarge, unavailable } from './connection.ts';
import type { Document } from './documents.ts';

export interface BulkResult {
  readonly document: Document;
  /** `conflict`: a document of this id is there already. */
  readonly result: 'stored' | 'conflict' | Reject;
}

interface BulkAnswer {
  readonly items?: readonly {
    readonly create: { readonly status: number; readonly error?: BulkError };
  }[];
}

interface BulkError {
  readonly type: string;
  readonly reason?: string;
}

/** Creates documents of lines, in halves where a request of all would be too large. */
export async function createBulk(
  client: Client,
  bodies: Bodies,
  lines: Buffer,
  documents: readonly Document[],
): Promise<readonly BulkResult[]> {
  if (documents.length === 0) return [];
  try {
    return await sendBulk(client, bodies, lines, documents);
  } catch (error) {
    if (!isTooLarge(error) || documents.length === 1) throw error;
    const middle = Math.ceil(documents.length / 2);
    const left = await createBulk(client, bodies, lines, documents.slice(0, middle));
    const right = await createBulk(client, bodies, lines, documents.slice(middle));
    return [...left, ...right];
  }
}

/** Sends lines as they are, and reads back only what became of each. */
async function sendBulk(
  client: Client,
  bodies: Bodies,
  lines: Buffer,
  documents: readonly Document[],
): Promise<readonly BulkResult[]> {
  const bulkBody = bodies.of(lines, documents);
  const { items = [] } = await ask(() =>
    client.transport.request<BulkAnswer>({
      method: 'POST',
      path: '/_bulk',
      querystring: {
        include_source_on_error: false,
        filter_path: 'items.create.status,items.create.error.type,items.create.error.reason',
      },
      // A buffer is sent as it is.
      bulkBody,
    }),
  );
  // Only now does nothing send it any more.
  bodies.giveBack(bulkBody);
  if (items.length !== documents.length) throw unavailable('answered another number of documents');
  return documents.map((document, index) => {
    const { status = 0, error } = items[index]?.create ?? {};
    return { document, result: resultOf(document, status, error) };
  });
}

function resultOf(
  { sequence }: Document,
  status: number,
  error: BulkError | undefined,
): BulkResult['result'] {
  if (status === 201) return 'stored';
  if (status === 409) return 'conflict';
  const { type = 'unknown', reason = '' } = error ?? {};
  if (status !== 400 || CLUSTER_FAULTS.has(type)) {
    throw unavailable(`takes no documents for now (${type}, ${status}): ${reason}`);
  }
  return { sequence, reason: sentence(type, reason) };
}

/** Elasticsearch quotes values in its reasons; only the names of field and type are kept. */
function sentence(type: string, reason: string): string {
  const field = /failed to parse field \[([\w.@]+)\] of type \[(\w+)\]/.exec(reason);
  if (field) return `\`${field[1]}\` does not read as ${field[2]} (${type})`;
  const object = /object mapping for \[([\w.@]+)\]/.exec(reason);
  if (object) return `\`${object[1]}\` is an object here and a value there (${type})`;
  return `Elasticsearch cannot take it (${type})`;
}

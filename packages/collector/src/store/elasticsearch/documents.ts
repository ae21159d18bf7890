import type { Batch } from '../../event-store.ts';
import type { Outcome } from './append.ts';
import { identify } from './identity.ts';
import { indexOfDay } from './template.ts';

/** Of one bulk request: where a node's throughput stops growing with it. */
const BULK_BYTES_MAX = 5 * 1024 ** 2;
const BULK_DOCUMENTS_MAX = 5_000;

const NEWLINE = 0x0a;

export interface Document {
  readonly sequence: number;
  /** Where the journal's line lies in those of the batch, with its line feed. */
  readonly start: number;
  readonly end: number;
  readonly index: string;
  readonly id: string;
  /** Indices in which a twin may lie. */
  readonly elsewhere: readonly string[];
  /** Keys of the application that are numbers here. */
  readonly numbers: readonly string[];
}

/** The documents of a batch in parts for one request each, read when they are asked for. */
export function* bulksOf(
  batch: Batch,
  prefix: string,
  settle: (sequence: number, outcome: Outcome) => void,
): Generator<readonly Document[]> {
  const { first, lines } = batch;
  let bulk: Document[] = [];
  let bytes = 0;
  let start = 0;
  for (let sequence = first; start < lines.length; sequence++) {
    const end = lines.indexOf(NEWLINE, start) + 1;
    const document = documentOf(batch, prefix, sequence, start, end);
    if (document === undefined) {
      settle(sequence, { sequence, reason: 'it is no event with its times' });
    } else {
      const full = bulk.length === BULK_DOCUMENTS_MAX || bytes + end - start > BULK_BYTES_MAX;
      if (full && bulk.length > 0) {
        yield bulk;
        bulk = [];
        bytes = 0;
      }
      bulk.push(document);
      bytes += end - start;
    }
    start = end;
  }
  if (bulk.length > 0) yield bulk;
}

function documentOf(
  { collector, lines }: Batch,
  prefix: string,
  sequence: number,
  start: number,
  end: number,
): Document | undefined {
  const identity = identify(lines.subarray(start, end), collector, sequence);
  if (identity === undefined) return undefined;
  const { id, day, elsewhere, numbers } = identity;
  return {
    sequence,
    start,
    end,
    id,
    numbers,
    index: indexOfDay(prefix, day),
    elsewhere: elsewhere.map((other) => indexOfDay(prefix, other)),
  };
}

import type { Document } from './documents.ts';

/** Beside index and id: `{"create":{"_index":"","_id":""}}` and the line feed. */
const ACTION_BYTES = 40;

/** One for each request under way, and one that is being made. */
const KEPT_MAX = 3;

/**
 * Bodies of bulk requests, made in buffers that are used again: a new one of some megabytes comes
 * page by page from the system, which takes longer than to fill it.
 */
export class Bodies {
  readonly #idle: Buffer[] = [];

  /** What to do with each line, and the line as it is. */
  of(lines: Buffer, documents: readonly Document[]): Buffer {
    const body = this.#take(sizeMax(documents));
    let at = 0;
    for (const { index, id, start, end } of documents) {
      at += body.write(`{"create":{"_index":"${index}","_id":"${id}"}}\n`, at, 'latin1');
      at += lines.copy(body, at, start, end);
    }
    return body.subarray(0, at);
  }

  /** Takes back what `of` has made and nobody reads any more. */
  giveBack({ buffer }: Buffer): void {
    if (this.#idle.length < KEPT_MAX) this.#idle.push(Buffer.from(buffer));
  }

  #take(size: number): Buffer {
    const idle = this.#idle.pop();
    return idle && idle.length >= size ? idle : Buffer.allocUnsafeSlow(size);
  }
}

function sizeMax(documents: readonly Document[]): number {
  return documents.reduce(
    (size, { index, id, start, end }) =>
      size + ACTION_BYTES + index.length + id.length + end - start,
    0,
  );
}

import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import { MetronomeError } from '../errors.ts';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** What a piece of a body takes beside its bytes: the objects that Node makes of it. */
const PIECE_BYTES = 512;

/** What all bodies that are not whole yet take of the memory. */
export class BodyMemory {
  readonly bytesMax: number;
  bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }
}

/**
 * Reads a body and takes off its `Content-Encoding`. Both what is sent and what it unpacks to
 * are held under `bytesMax`, so that a bomb costs no more than a large body; both count in
 * `memory` until the body is whole, as they come: what is only announced takes none. Where it is
 * full, bodies of one piece, as most are, are still read.
 *
 * It reads Node's own request: by way of a Web `Request` a small body takes half as long again as
 * all the rest of HTTP.
 *
 * @throws MetronomeError `too-large`, `unavailable` (the memory is full), `unsupported` (an
 * encoding that is not known) or `bad-request` (the bytes are not of that encoding, or the client
 * went away).
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  memory: BodyMemory,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > bytesMax) return Promise.reject(tooLarge(bytesMax));
  const bytes = readWhole(request, 'The body did not arrive whole.', bytesMax, memory);
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return bytes;
  return bytes.then((encoded) => decoded(encoded, encoding, bytesMax, memory));
}

async function decoded(
  bytes: Buffer,
  encoding: string,
  bytesMax: number,
  memory: BodyMemory,
): Promise<Buffer> {
  const createDecoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (createDecoder === undefined) {
    const known = Object.keys(DECODERS).join(', ');
    const message = `Content-Encoding ${encoding} is not read; send one of ${known}.`;
    throw new MetronomeError('unsupported', message);
  }
  const decoder = createDecoder();
  memory.bytes += bytes.length;
  try {
    decoder.end(bytes);
    return await readWhole(decoder, `The body is not ${encoding}.`, bytesMax, memory);
  } finally {
    memory.bytes -= bytes.length;
    decoder.destroy();
  }
}

/** The pieces of `source` as one. `broken` is the sentence for a source that fails. */
function readWhole(
  source: Readable,
  broken: string,
  bytesMax: number,
  memory: BodyMemory,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    let held = 0;
    const release = (): void => {
      memory.bytes -= held;
      held = 0;
      pieces.length = 0;
    };
    const onData = (piece: Buffer): void => {
      length += piece.length;
      held += piece.length + PIECE_BYTES;
      memory.bytes += piece.length + PIECE_BYTES;
      const isFull = memory.bytes > memory.bytesMax && pieces.length > 0;
      if (length <= bytesMax && !isFull) return void pieces.push(piece);
      // The server takes the connection down when the answer is out.
      source.off('data', onData).pause();
      release();
      reject(length > bytesMax ? tooLarge(bytesMax) : tooMany());
    };
    source.on('data', onData);
    source.on('end', () => {
      resolve(joined(pieces));
      release();
    });
    source.on('error', (cause) => {
      release();
      reject(new MetronomeError('bad-request', broken, { cause }));
    });
  });
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

function tooLarge(bytesMax: number): MetronomeError {
  const message = `The body is over ${bytesMax} bytes; send smaller batches, or raise METRONOME_BODY_BYTES_MAX.`;
  return new MetronomeError('too-large', message);
}

function tooMany(): MetronomeError {
  return new MetronomeError('unavailable', 'Too many large bodies arrive at once.');
}

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { MetronomeError } from '../errors.ts';

type Decode = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/**
 * Reads a body and takes off its `Content-Encoding`. Both what is sent and what it unpacks to
 * are held under `bytesMax`, so that a bomb costs no more than a large body.
 *
 * It reads Node's own request: by way of a Web `Request` a small body takes half as long again as
 * all the rest of HTTP.
 *
 * @throws MetronomeError `too-large`, `unsupported` (an encoding that is not known) or
 * `bad-request` (the bytes are not of that encoding, or the client went away).
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const bytes = readLimited(request, bytesMax);
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return bytes;
  return bytes.then((encoded) => decoded(encoded, encoding, bytesMax));
}

async function decoded(bytes: Buffer, encoding: string, bytesMax: number): Promise<Buffer> {
  const decode = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (decode === undefined) {
    const known = Object.keys(DECODERS).join(', ');
    const message = `Content-Encoding ${encoding} is not read; send one of ${known}.`;
    throw new MetronomeError('unsupported', message);
  }
  try {
    return await decode(bytes, { maxOutputLength: bytesMax });
  } catch (cause) {
    if (isCode(cause, 'ERR_BUFFER_TOO_LARGE')) throw tooLarge(bytesMax);
    throw new MetronomeError('bad-request', `The body is not ${encoding}.`, { cause });
  }
}

function readLimited(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= bytesMax) return void chunks.push(chunk);
      // The server takes the connection down when the answer is out.
      request.off('data', onData).pause();
      reject(tooLarge(bytesMax));
    };
    request.on('data', onData);
    request.on('end', () => resolve(joined(chunks)));
    request.on('error', (cause) => {
      reject(new MetronomeError('bad-request', 'The body did not arrive whole.', { cause }));
    });
  });
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

function tooLarge(bytesMax: number): MetronomeError {
  const message = `The body is over ${bytesMax} bytes; send smaller batches, or raise METRONOME_BODY_BYTES_MAX.`;
  return new MetronomeError('too-large', message);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { HonoRequest } from 'hono';
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
 * @throws MetronomeError `too-large`, `unsupported` (an encoding that is not known) or
 * `bad-request` (the bytes are not of that encoding, or the client went away).
 */
export async function readBody(request: HonoRequest, bytesMax: number): Promise<Buffer> {
  const bytes = await readLimited(request, bytesMax);
  const encoding = request.header('content-encoding')?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return bytes;
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

async function readLimited(request: HonoRequest, bytesMax: number): Promise<Buffer> {
  const declared = request.header('content-length');
  // With a length Node itself holds the client to it; without one the chunks are counted.
  if (declared !== undefined && request.header('transfer-encoding') === undefined) {
    if (Number(declared) > bytesMax) throw tooLarge(bytesMax);
    return Buffer.from(await whole(request));
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.raw.body ?? []) {
    length += chunk.length;
    if (length > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function whole(request: HonoRequest): Promise<ArrayBuffer> {
  try {
    return await request.arrayBuffer();
  } catch (cause) {
    throw new MetronomeError('bad-request', 'The body did not arrive whole.', { cause });
  }
}

function tooLarge(bytesMax: number): MetronomeError {
  const message = `The body is over ${bytesMax} bytes; send smaller batches, or raise METRONOME_BODY_BYTES_MAX.`;
  return new MetronomeError('too-large', message);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

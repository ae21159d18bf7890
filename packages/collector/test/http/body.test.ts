import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { readBody } from '../../src/http/body.ts';
import { problem } from '../../src/http/problem.ts';

const BYTES_MAX = 1000;
const app = new Hono();
app.post('/', async (context) => context.text((await readBody(context.req, BYTES_MAX)).toString()));
app.onError((error, context) => problem(context, error));

async function post(body: BodyInit, encoding?: string): Promise<[number, string]> {
  const headers: Record<string, string> =
    encoding === undefined ? {} : { 'content-encoding': encoding };
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
  const response = await app.request('/', init);
  const text = await response.text();
  return [response.status, response.ok ? text : String(JSON.parse(text).detail)];
}

const json = '{"event":"view"}';

test.each([
  ['gzip', gzipSync(json)],
  ['X-Gzip', gzipSync(json)],
  ['deflate', deflateSync(json)],
  ['br', brotliCompressSync(json)],
  ['zstd', zstdCompressSync(json)],
  ['identity', Buffer.from(json)],
])('%s is read', async (encoding, body) => {
  expect(await post(new Uint8Array(body), encoding)).toEqual([200, json]);
});

test('a body over the limit is a 413 that says how to go on', async () => {
  const [status, detail] = await post('x'.repeat(BYTES_MAX + 1));
  expect(status).toBe(413);
  expect(detail).toMatch(/METRONOME_BODY_BYTES_MAX/);
});

test('a stream without a length is cut off at the limit', async () => {
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(100));
    },
  });
  expect((await post(endless))[0]).toBe(413);
  expect(pulled).toBeLessThan(20);
});

test('a decompression bomb is a 413', async () => {
  expect((await post(new Uint8Array(gzipSync(Buffer.alloc(1_000_000))), 'gzip'))[0]).toBe(413);
});

test('bytes that are not of their encoding are a 400', async () => {
  expect(await post('plain', 'gzip')).toEqual([400, 'The body is not gzip.']);
});

test.each(['snappy', 'constructor'])('the unknown encoding %s is a 415', async (encoding) => {
  expect((await post('x', encoding))[0]).toBe(415);
});

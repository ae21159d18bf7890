import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBody } from '../../src/http/body.ts';
import { problem } from '../../src/http/problem.ts';

const BYTES_MAX = 1000;
const app = new Hono<{ Bindings: HttpBindings }>();
const failures: string[] = [];
app.post('/', async ({ env, text }) => text((await readBody(env.incoming, BYTES_MAX)).toString()));
app.onError((error, context) => {
  failures.push(error.message);
  return problem(context, error);
});
const server = createAdaptorServer(app);
let port = 0;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
});

async function post(body: BodyInit, encoding?: string): Promise<[number, string]> {
  const headers: Record<string, string> =
    encoding === undefined ? {} : { 'content-encoding': encoding };
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
  const response = await fetch(`http://127.0.0.1:${port}/`, init);
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
  const cut = Promise.withResolvers<void>();
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(100)),
    cancel: () => cut.resolve(),
  });
  expect((await post(endless))[0]).toBe(413);
  await cut.promise;
});

test('a body in pieces is put together', async () => {
  const pieces = ['{"event"', ':"vi', 'ew"}'].map((piece) => new TextEncoder().encode(piece));
  const body = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  expect(await post(body)).toEqual([200, json]);
});

test('of a client that goes away nothing is read', async () => {
  failures.length = 0;
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"event":"vi');
  await once(server, 'request');
  socket.destroy();
  await expect.poll(() => failures).toEqual(['The body did not arrive whole.']);
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

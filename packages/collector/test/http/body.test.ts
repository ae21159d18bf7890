import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BodyMemory, readBody } from '../../src/http/body.ts';
import { problem } from '../../src/http/problem.ts';

const BYTES_MAX = 1000;
const MEMORY_BYTES = 20_000;
const memory = new BodyMemory(MEMORY_BYTES);
const app = new Hono<{ Bindings: HttpBindings }>();
const failures: string[] = [];
app.post('/', async ({ env, text }) =>
  text((await readBody(env.incoming, BYTES_MAX, memory)).toString()),
);
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

// However a request ends, its bytes are given back.
afterEach(async () => {
  await expect.poll(() => memory.bytes).toBe(0);
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

const headOf = (headers: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n`;

/** A client whose body has begun to arrive. */
async function begin(headers: string, pieces: string): Promise<Socket> {
  const before = memory.bytes;
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(headOf(headers) + pieces);
  await expect.poll(() => memory.bytes).toBeGreaterThan(before);
  return socket;
}

const statusOf = async (socket: Socket): Promise<number> =>
  Number(/ (\d+)/u.exec(String((await once(socket, 'data'))[0]))?.[1]);

/** Bodies of which all but the last byte are there, until no more fit. */
async function fill(): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (memory.bytes <= MEMORY_BYTES) {
    sockets.push(await begin(`Content-Length: ${BYTES_MAX}`, 'x'.repeat(BYTES_MAX - 1)));
  }
  return sockets;
}

test('what is only announced takes no memory', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write(headOf(`Content-Length: ${BYTES_MAX}`));
  await once(server, 'request');
  expect(memory.bytes).toBe(0);
  socket.destroy();
});

test('bodies that are not whole are bounded together, and go on when there is room', async () => {
  const [first, ...others] = await fill();
  const late = await begin('Content-Length: 3', '[');
  late.write('1]');
  expect(await statusOf(late)).toBe(503);
  for (const socket of others) socket.destroy();
  await expect.poll(() => memory.bytes).toBeLessThan(2 * BYTES_MAX);
  first?.write('x');
  expect(first && (await statusOf(first))).toBe(200);
});

test('a body of one piece is read where the memory is full', async () => {
  const held = await fill();
  expect(await post(json)).toEqual([200, json]);
  expect(await post(new Uint8Array(gzipSync(json)), 'gzip')).toEqual([200, json]);
  for (const socket of held) socket.destroy();
});

test('pieces count by what they take, not by their bytes alone', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write(headOf('Transfer-Encoding: chunked') + '1\r\nx\r\n'.repeat(100));
  expect(await statusOf(socket)).toBe(503);
  expect(memory.bytes).toBe(0);
  socket.destroy();
});

test('what a body unpacks to counts', async () => {
  const room = new BodyMemory(50_000);
  const unpacked = Buffer.alloc(400_000, 'x');
  const packed = gzipSync(unpacked);
  const request = (): IncomingMessage =>
    Object.assign(Readable.from([packed]), {
      headers: { 'content-encoding': 'gzip' },
    }) as unknown as IncomingMessage;
  await expect(readBody(request(), 1_000_000, room)).rejects.toThrow(/Too many large bodies/u);
  expect(room.bytes).toBe(0);
  expect(await readBody(request(), 1_000_000, new BodyMemory(1_000_000))).toEqual(unpacked);
});

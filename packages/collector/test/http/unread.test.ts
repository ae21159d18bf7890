import { once } from 'node:events';
import { createServer, get, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { endUnread, inTurn } from '../../src/http/unread.ts';

/** More than the buffers of both sockets hold. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);
const TIMEOUT_MS = 50;

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A client that sends so many requests at once. */
function pipeline(port: number, requests: number): Socket {
  const socket = connect(port, '127.0.0.1')
    .pause()
    .on('error', () => {});
  onTestFinished(() => void socket.destroy());
  const paths = Array.from({ length: requests }, (_, index) => `/${index}`);
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  return socket;
}

/** Waits until the server ends the connection of a client that sends so many requests and reads nothing. */
async function ended(server: Server, requests: number): Promise<void> {
  const connected = once(server, 'connection');
  pipeline(await listen(server), requests);
  const [socket] = (await connected) as [Socket];
  await once(socket, 'close');
}

test('requests that are sent ahead are answered in their order', async () => {
  const answer: RequestListener = ({ url }, outgoing) =>
    setImmediate(() => outgoing.end(`<${url}>`));
  const socket = pipeline(await listen(createServer(inTurn(answer))), 20);
  let answers = '';
  for await (const piece of socket) {
    answers += String(piece);
    if (answers.includes('</19>')) break;
  }
  const paths = [...answers.matchAll(/<\/(\d+)>/gu)].map(([, path]) => Number(path));
  expect(paths).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test('what is sent ahead waits until the answers before are taken', async () => {
  const begun: string[] = [];
  const server = createServer(
    inTurn(({ url = '' }, outgoing) => {
      begun.push(url);
      outgoing.end(LARGE);
    }),
  );
  const seen = new Promise<void>((resolve) => {
    let requests = 0;
    server.on('request', () => (requests += 1) === 3 && resolve());
  });
  const socket = pipeline(await listen(server), 3);
  await seen;
  expect(begun).toEqual(['/0']);
  socket.resume();
  await expect.poll(() => begun).toEqual(['/0', '/1', '/2']);
});

test('a connection on which too many wait is ended', async () => {
  let begun = 0;
  const server = createServer(
    inTurn((_, outgoing) => {
      begun += 1;
      outgoing.end(LARGE);
    }),
  );
  await ended(server, 1_500);
  expect(begun).toBe(1);
});

test('a connection whose client does not read is ended', async () => {
  const server = createServer((_, outgoing) => outgoing.end(LARGE));
  endUnread(server, TIMEOUT_MS);
  await ended(server, 1);
});

test('an answer may take longer to be found', async () => {
  const server = createServer((_, outgoing) => {
    void once(server, 'timeout').then(() => outgoing.end('found'));
  });
  endUnread(server, TIMEOUT_MS);
  const asked = get({ port: await listen(server), host: '127.0.0.1' });
  const [answer] = await once(asked, 'response');
  expect(await text(answer)).toBe('found');
});

test('an answer that took longer to be found has to be read too', async () => {
  const server = createServer((_, outgoing) => {
    void once(server, 'timeout').then(() => outgoing.end(LARGE));
  });
  endUnread(server, TIMEOUT_MS);
  await ended(server, 1);
});

test('a connection between two requests is ended by its own time', async () => {
  const server = createServer({ keepAliveTimeout: 1, keepAliveTimeoutBuffer: 1 }, (_, outgoing) => {
    outgoing.end();
  });
  endUnread(server, TIMEOUT_MS);
  const socket = pipeline(await listen(server), 1).resume();
  await once(socket, 'close');
});

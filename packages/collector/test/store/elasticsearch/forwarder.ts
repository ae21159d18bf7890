import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP way to a server that can be closed, opened again on the same port, and cut in the middle. */
export interface Forwarder {
  readonly url: string;
  open(): Promise<void>;
  /** Refuses connections from now on and resets those that are there. */
  close(): Promise<void>;
  /** From now on resets each connection once so many bytes have gone to the server, or come back. */
  cutAfter(direction: 'request' | 'response', bytes: number): void;
}

/** It begins closed, on a port that nothing else listens on. */
export async function createForwarder(target: string): Promise<Forwarder> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const limits = { request: Infinity, response: Infinity };

  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const relay = (from: Socket, to: Socket, direction: 'request' | 'response'): void => {
    sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    let passed = 0;
    from.on('data', (data: Buffer) => {
      to.write(data.subarray(0, limits[direction] - passed));
      passed += data.length;
      if (passed > limits[direction]) from.resetAndDestroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    relay(client, upstream, 'request');
    relay(upstream, client, 'response');
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP server');
    return address.port;
  };
  const close = async (): Promise<void> => {
    reset();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const own = await listen(0);
  await close();
  return {
    url: `http://127.0.0.1:${own}`,
    open: async () => void (await listen(own)),
    close,
    cutAfter(direction, bytes) {
      limits[direction] = bytes;
      reset();
    },
  };
}

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on 127.0.0.1, which keeps its port over a spell in which nobody listens there. */
export interface LocalServer {
  readonly origin: string;
  /** Connections are refused from now on. */
  close(): Promise<void>;
  /** After `close`: listens on the same port again. */
  reopen(): Promise<void>;
}

export async function serveLocally(answer: RequestListener): Promise<LocalServer> {
  const server = createServer(answer);
  const listen = async (wanted: number): Promise<number> => {
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    async reopen() {
      await listen(port);
    },
  };
}

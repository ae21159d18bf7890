import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly bytes: number;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly text?: string;
}

/** Passes requests on to a server, and answers those itself that it is told to. */
export interface Proxy {
  readonly url: string;
  /** From now on; undefined passes a request on. */
  answer(by: (asked: Asked) => Answer | undefined): void;
  close(): Promise<void>;
}

export async function createProxy(target: string): Promise<Proxy> {
  let answerOf: Parameters<Proxy['answer']>[0] = () => undefined;
  const handle = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = asked;
    const body = Buffer.concat(await asked.toArray());
    const own = answerOf({ method, path, bytes: body.length });
    if (own === undefined) {
      const [answered] = (await once(
        request(new URL(path, target), { method, headers }).end(body),
        'response',
      )) as [IncomingMessage];
      response.writeHead(answered.statusCode ?? 0, answered.headers);
      answered.pipe(response);
      return;
    }
    const { status, type = 'text/plain', text = 'default backend' } = own;
    response.writeHead(status, { 'content-type': type }).end(text);
  };
  const server = createServer((asked, response) => {
    handle(asked, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return {
    url: `http://127.0.0.1:${address.port}`,
    answer(by) {
      answerOf = by;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * - `pass`    as if it were not there
 * - `refuse`  the connection is closed at once
 * - `hang`    no answer until the next mode
 * - `slow`    each answer two seconds late
 * - `lose`    the request arrives, its answer does not
 * - `429`, `503` an answer of Elasticsearch's that says no
 */
export const OUTAGES = ['refuse', 'hang', 'slow', 'lose', '429', '503'] as const;
export type ProxyMode = 'pass' | (typeof OUTAGES)[number];

export interface OutageProxy {
  readonly url: string;
  mode: ProxyMode;
  close(): Promise<void>;
}

const SLOW_MS = 2_000;

/** Stands between a collector and an Elasticsearch and fails as networks and clusters do. */
export async function startOutageProxy(target: string): Promise<OutageProxy> {
  let mode: ProxyMode = 'pass';
  const server = createServer((asked, answer) => {
    if (mode === 'refuse') asked.socket.destroy();
    else if (mode === '429' || mode === '503') refuse(answer, Number(mode));
    else if (mode !== 'hang') forward(target, asked, answer, mode);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get mode() {
      return mode;
    },
    set mode(next) {
      const hung = mode === 'hang';
      mode = next;
      if (hung) server.closeAllConnections();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function refuse(answer: ServerResponse, status: number): void {
  const type = status === 429 ? 'es_rejected_execution_exception' : 'cluster_manager_not_there';
  answer
    .writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
    .end(JSON.stringify({ error: { type, reason: 'an outage' }, status }));
}

/** Passes a request on, and its answer back; returns what was passed on. */
export function forward(
  target: string,
  asked: IncomingMessage,
  answer: ServerResponse,
  mode: ProxyMode,
): ClientRequest {
  const { method, headers, url = '/' } = asked;
  const passed = request(target + url, { method, headers }, (response) => {
    if (mode === 'lose') {
      asked.socket.destroy();
      response.resume();
      return;
    }
    const late = setTimeout(
      () => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
      mode === 'slow' ? SLOW_MS : 0,
    );
    late.unref();
  });
  passed.on('error', () => asked.socket.destroy());
  return asked.pipe(passed);
}

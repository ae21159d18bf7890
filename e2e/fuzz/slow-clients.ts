import { RawConnection } from './connection.ts';

/** What each sends first; then a byte a second. */
const BEGINNINGS = [
  '',
  'G',
  'GET / HTTP/1.1\r\nHost: a\r\nX: ',
  'POST /tick HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n[',
  'POST /tick HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n[',
] as const;
const EACH = 10;
const DRIP_MS = 1_000;

/** Clients that never come to an end. */
export interface SlowClients {
  readonly count: number;
  /** Those that the collector still serves. */
  readonly open: number;
  /** Ends them. */
  stop(): void;
}

export function startSlowClients(port: number): SlowClients {
  const clients = BEGINNINGS.flatMap((beginning) =>
    Array.from({ length: EACH }, () => {
      const connection = new RawConnection(port);
      connection.drip(Buffer.from(beginning));
      return connection;
    }),
  );
  const timer = setInterval(() => {
    for (const client of clients) if (!client.closed) client.drip(Buffer.from(' '));
  }, DRIP_MS);
  return {
    count: clients.length,
    get open() {
      return clients.filter(({ closed }) => !closed).length;
    },
    stop() {
      clearInterval(timer);
      for (const client of clients) client.close();
    },
  };
}

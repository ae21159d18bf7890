import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Recorded = Record<string, unknown>;

export interface Tick {
  headers: IncomingHttpHeaders;
  url: string;
  body: string;
  events: Recorded[];
  status: number;
}

/** A collector that remembers what it was sent, and pages to send it from. */
export interface Recorder {
  origin: string;
  /** Every request to /tick, in order. */
  ticks: Tick[];
  /** Requests that were no /tick and no page. */
  preflights: number;
  /** HTML by path; a function sees the request's path. */
  pages: Record<string, string>;
  headers: Record<string, string>;
  /** Status of each coming /tick; 0 cuts the connection. Default: 202. */
  answer: (tick: Tick, index: number) => number;
  /** All events that were accepted, one for each id. */
  events(): Recorded[];
  /** Waits until `enough` holds of the accepted events. */
  until(enough: (events: Recorded[]) => boolean, what: string): Promise<Recorded[]>;
  close(): Promise<void>;
}

const dist = new URL('../dist/', import.meta.url);
const waitMsMax = 20_000;

export const startRecorder = async (): Promise<Recorder> => {
  const accepted = new Map<unknown, Recorded>();
  let waiters: (() => void)[] = [];

  const tick = async (
    url: string,
    headers: IncomingHttpHeaders,
    body: string,
    response: ServerResponse,
  ) => {
    const found: Tick = { url, headers, body, events: parse(body), status: 0 };
    found.status = recorder.answer(found, recorder.ticks.length);
    recorder.ticks.push(found);
    if (found.status === 0) {
      response.destroy();
    } else {
      if (found.status === 202) for (const event of found.events) accepted.set(event.id, event);
      response.writeHead(found.status, {
        'Access-Control-Allow-Origin': '*',
        'Content-Type': 'application/json',
      });
      response.end(JSON.stringify({ accepted: found.events.length, rejected: [] }));
    }
    for (const wake of waiters) wake();
  };

  const server = createServer(async (request, response) => {
    const url = request.url ?? '/';
    const path = new URL(url, 'http://x').pathname;
    if (request.method === 'OPTIONS') recorder.preflights++;
    if (request.method === 'POST' && path.endsWith('/tick')) {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      await tick(url, request.headers, Buffer.concat(chunks).toString(), response);
      return;
    }
    const page = recorder.pages[path];
    if (page !== undefined) {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...recorder.headers });
      response.end(page);
    } else if (/^\/metronome[\w-]*\.js$/.test(path)) {
      response.writeHead(200, {
        'Content-Type': 'text/javascript',
        'Access-Control-Allow-Origin': '*',
      });
      response.end(await readFile(new URL(path.slice(1), dist)));
    } else if (path.startsWith('/files/')) {
      response.writeHead(200, { 'Content-Disposition': 'attachment' }).end('file');
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const recorder: Recorder = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ticks: [],
    preflights: 0,
    pages: {},
    headers: {},
    answer: () => 202,
    events: () => [...accepted.values()],
    until: (enough, what) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(
            new Error(
              `Never seen: ${what}. Accepted: ${JSON.stringify(recorder.events(), null, 1)}`,
            ),
          );
        }, waitMsMax);
        const look = (): void => {
          if (!enough(recorder.events())) return;
          clearTimeout(late);
          waiters = waiters.filter((one) => one !== look);
          resolve(recorder.events());
        };
        waiters.push(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return recorder;
};

const parse = (body: string): Recorded[] => {
  try {
    return JSON.parse(body) as Recorded[];
  } catch {
    return [];
  }
};

import { readFile } from 'node:fs/promises';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type Recorded = Record<string, unknown>;

/** One request to /tick. */
export interface Tick {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  events: Recorded[];
  status: number;
}

/** A page, or any other file: its text, and what the defaults of its headers are not. */
export interface Served {
  text: string;
  headers?: Record<string, string>;
}

/** A collector that remembers what it was sent, and a site to send it from. */
export interface Recorder {
  readonly origin: string;
  /** Every request to /tick, in the order of their answers. */
  readonly ticks: Tick[];
  /** Paths of all requests. */
  readonly paths: string[];
  /** CORS preflights seen. */
  preflights: number;
  /** What is served, by path. */
  readonly site: Record<string, string | Served>;
  /** Status of each /tick, 0 to cut the connection, -1 for no answer at all; 202 by default. */
  answer: (tick: Tick, index: number) => number;
  /** All events that were accepted, each once. */
  accepted(name?: string): Recorded[];
  /** Resolves when `enough` holds, which is looked at after each /tick. */
  until(what: string, enough: () => boolean): Promise<void>;
  /** Forgets what was sent, and how to answer. */
  reset(): void;
  close(): Promise<void>;
}

const dist = new URL('../dist/', import.meta.url);
const waitMsMax = 20_000;

export const startRecorder = async (site: Recorder['site'] = {}): Promise<Recorder> => {
  const accepted = new Map<string, Recorded>();
  let waiting: (() => void)[] = [];

  const take = (found: Tick, response: ServerResponse): void => {
    found.status = recorder.answer(found, recorder.ticks.length);
    recorder.ticks.push(found);
    if (found.status === 0) response.destroy();
    if (found.status > 0) {
      if (found.status === 202) {
        for (const event of found.events)
          accepted.set(`${String(event.id)} ${String(event.time)}`, event);
      }
      response.writeHead(found.status, { 'Access-Control-Allow-Origin': '*' });
      response.end(JSON.stringify({ accepted: found.events.length, rejected: [] }));
    }
    for (const look of waiting) look();
  };

  const serve = async (path: string, response: ServerResponse): Promise<void> => {
    const found = recorder.site[path];
    if (found !== undefined) {
      const { text, headers } = typeof found === 'string' ? { text: found, headers: {} } : found;
      const type = path.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8';
      response.writeHead(200, { 'Content-Type': type, ...headers }).end(text);
    } else if (/^\/metronome[\w-]*\.js$/.test(path)) {
      const script = await readFile(new URL(path.slice(1), dist));
      const headers = { 'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*' };
      response.writeHead(200, headers).end(script);
    } else if (path.startsWith('/files/')) {
      response.writeHead(200, { 'Content-Disposition': 'attachment' }).end('file');
    } else {
      response.writeHead(404).end();
    }
  };

  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = request.url ?? '/';
    const path = new URL(url, 'http://site').pathname;
    recorder.paths.push(path);
    if (request.method === 'OPTIONS') recorder.preflights++;
    if (request.method !== 'POST') return serve(path, response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const events = JSON.parse(body) as Recorded[];
    take({ url, headers: request.headers, body, events, status: 0 }, response);
  };

  const server = createServer((request, response) => {
    // A page that goes away breaks off its requests.
    reply(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const recorder: Recorder = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ticks: [],
    paths: [],
    preflights: 0,
    site,
    answer: () => 202,
    accepted: (name) =>
      [...accepted.values()].filter((event) => name === undefined || event.event === name),
    until: (what, enough) =>
      new Promise((resolve, reject) => {
        const settle = (): void => {
          clearTimeout(late);
          waiting = waiting.filter((one) => one !== look);
        };
        const look = (): void => {
          if (!enough()) return;
          settle();
          resolve();
        };
        const late = setTimeout(() => {
          settle();
          const seen = recorder.ticks.map(({ status, events }) => ({ status, events }));
          reject(new Error(`Never seen: ${what}. Seen: ${JSON.stringify(seen, null, 1)}`));
        }, waitMsMax);
        waiting.push(look);
        look();
      }),
    reset: () => {
      recorder.ticks.length = 0;
      recorder.paths.length = 0;
      recorder.preflights = 0;
      recorder.answer = () => 202;
      accepted.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return recorder;
};

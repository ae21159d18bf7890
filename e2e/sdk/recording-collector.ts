/**
 * A collector that remembers everything it was sent, and fails on demand.
 *
 * It serves the script-tag build and answers `POST /tick` as the real one does, from an origin of
 * its own. What it counts is what the real one would: answered with 202, once for each
 * (`app`, `id`, `time`).
 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { type LocalServer, serveLocally } from './local-server.ts';

export type WireEvent = Readonly<Record<string, unknown>>;

/** How a request fails: with a status, without an answer, or with a connection that breaks off. */
export type Fault = 200 | 408 | 429 | 503 | 400 | 403 | 'hang' | 'cut';

/** One `POST /tick`. */
export interface Tick {
  readonly headers: IncomingMessage['headers'];
  readonly bytes: number;
  readonly events: readonly WireEvent[];
  readonly outcome: 202 | 413 | Fault;
}

export interface RecordingCollector {
  readonly origin: string;
  /** All ticks in the order of their arrival, whatever became of them. */
  readonly ticks: readonly Tick[];
  /** Method and path of every other request. */
  readonly others: readonly string[];
  /** Larger bodies are answered with 413. */
  bodyBytesMax: number;
  /** While set, all requests fail so. */
  failing: Fault | undefined;
  /** Lets the next requests fail, one for each of these. */
  fail(...faults: readonly Fault[]): void;
  /** The events that count, in the order of their arrival. */
  counted(): WireEvent[];
  /** Resolves when the condition holds, looked at after each tick; throws after `patienceMs`. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Connections are refused until `reopen`. */
  close(): Promise<void>;
  reopen(): Promise<void>;
}

/** How a product writes its requests. */
export interface Wire {
  /** Path and query of a POST that carries events. */
  readonly path: RegExp;
  /** Of a success. */
  readonly status: 200 | 202;
  /** The events of a body, in our words. One without an `id` counts as often as it comes. */
  events(body: Buffer, headers: IncomingMessage['headers']): WireEvent[];
}

const TICKS: Wire = { path: /^\/tick$/, status: 202, events: (body) => parse(body.toString()) };

/** Where the script-tag build is. */
export const SCRIPTS_FOLDER: URL = new URL('../../packages/sdk/dist/', import.meta.url);
const SCRIPTS = /^\/(metronome|metronome-vitals)\.js$/;
const PATIENCE_MS = 20_000;

export async function startRecordingCollector(
  wire: Wire = TICKS,
  patienceMs: number = PATIENCE_MS,
): Promise<RecordingCollector> {
  const ticks: Tick[] = [];
  const others: string[] = [];
  const faults: Fault[] = [];
  const counted = new Map<string, WireEvent>();
  const watchers = new Set<() => void>();

  const tick = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const events = wire.events(body, request.headers);
    const bytes = body.length;
    const outcome =
      faults.shift() ?? collector.failing ?? (bytes > collector.bodyBytesMax ? 413 : 202);
    ticks.push({ headers: request.headers, bytes, events, outcome });
    if (outcome === 202) {
      for (const event of events) {
        const identity =
          event['id'] === undefined
            ? String(counted.size)
            : JSON.stringify([event['app'], event['id'], event['time']]);
        if (!counted.has(identity)) counted.set(identity, event);
      }
    }
    allowOrigin(request, response);
    reply(response, outcome === 202 ? wire.status : outcome, events.length);
    for (const watcher of watchers) watcher();
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = request;
    if (method === 'POST' && wire.path.test(url)) return tick(request, response);
    others.push(`${method} ${url}`);
    allowOrigin(request, response);
    if (method === 'OPTIONS') return void response.writeHead(204).end();
    const script = SCRIPTS.exec(url)?.[0];
    if (script === undefined) return void response.writeHead(404).end();
    const source = await readFile(new URL(`.${script}`, SCRIPTS_FOLDER));
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(source);
  };

  const server: LocalServer = await serveLocally((request, response) => {
    // A page that goes away breaks off its requests.
    answer(request, response).catch(() => response.destroy());
  });

  const collector: RecordingCollector = {
    origin: server.origin,
    ticks,
    others,
    bodyBytesMax: 1024 * 1024,
    failing: undefined,
    fail: (...next) => void faults.push(...next),
    counted: () => [...counted.values()],
    until: (condition, what) =>
      new Promise((resolve, reject) => {
        const settle = (end: () => void): void => {
          clearTimeout(timer);
          watchers.delete(look);
          end();
        };
        const look = (): void => {
          if (condition()) settle(resolve);
        };
        const timer = setTimeout(() => {
          const names = collector.counted().map((event) => event['event']);
          settle(() => reject(new Error(`Never came: ${what}. Counted: ${names.join(', ')}`)));
        }, patienceMs);
        watchers.add(look);
        look();
      }),
    close: server.close,
    reopen: server.reopen,
  };
  return collector;
}

/** Any origin, and for products that ask for it, credentials and headers. */
function allowOrigin({ headers }: IncomingMessage, response: ServerResponse): void {
  const asked = headers['access-control-request-headers'];
  response.setHeader('Access-Control-Allow-Origin', headers.origin ?? '*');
  if (headers.origin !== undefined) response.setHeader('Access-Control-Allow-Credentials', 'true');
  if (asked !== undefined) response.setHeader('Access-Control-Allow-Headers', asked);
}

function reply(
  response: ServerResponse,
  outcome: Tick['outcome'] | Wire['status'],
  accepted: number,
): void {
  if (outcome === 'hang') return;
  if (outcome === 'cut') return void response.destroy();
  const retry = outcome === 503 || outcome === 429 ? { 'Retry-After': '1' } : {};
  response.writeHead(outcome, { ...retry, 'Content-Type': 'application/json' });
  response.end(JSON.stringify(outcome < 300 ? { accepted, rejected: [] } : { status: outcome }));
}

/** What is no list of objects would be rejected, and so counts as nothing. */
function parse(body: string): WireEvent[] {
  const events: unknown = JSON.parse(body);
  return Array.isArray(events) ? events : [];
}

import { writeFileSync } from 'node:fs';
import {
  accessLogEvent,
  addressOf,
  agentOf,
  applicationEvent,
  browserEvent,
  type EventOf,
} from './events.ts';

/** How events come: from where, and how many in a request. */
export interface RequestKind {
  readonly event: EventOf;
  readonly eventsEach: number;
  readonly contentType: string;
  /** Sends the headers that Chrome sends. */
  readonly fromBrowser: boolean;
  /** How many distinct requests are made before a run, to be sent again with other ids. */
  readonly distinct: number;
}

export const SINGLE: RequestKind = {
  event: browserEvent,
  eventsEach: 1,
  contentType: 'text/plain;charset=UTF-8',
  fromBrowser: true,
  distinct: 5_000,
};

export const BATCH: RequestKind = {
  event: applicationEvent,
  eventsEach: 500,
  contentType: 'application/json',
  fromBrowser: false,
  distinct: 200,
};

export const LOG: RequestKind = { ...BATCH, event: accessLogEvent };

/** Each event is that of another visitor, of 16 million; no body is sent twice. */
export const VISITORS: RequestKind = {
  ...BATCH,
  event: (n, time) => ({ ...applicationEvent(n, time), ip: addressOf(n), user_agent: agentOf(n) }),
  distinct: Number.POSITIVE_INFINITY,
};

export const KINDS = { single: SINGLE, batch: BATCH, log: LOG, visitors: VISITORS } as const;

export type KindName = keyof typeof KINDS;

const SEPARATOR = '\u001E';

/** Writes whole HTTP requests for `post.lua`, which puts other tokens into their ids. */
export function writeRequests(kind: RequestKind, path: string): void {
  const now = Date.now();
  const requests = Array.from({ length: kind.distinct }, (_, n) => requestOf(kind, n, now));
  writeFileSync(path, requests.join(SEPARATOR));
}

/** The `n`-th body: a single event as the SDK sends it, or an array. */
export function bodyOf({ event, eventsEach }: RequestKind, n: number, now: number): string {
  const events = Array.from({ length: eventsEach }, (_, index) => {
    const number = n * eventsEach + index;
    return event(number, now - (number % 5000));
  });
  const [first] = events;
  return JSON.stringify(eventsEach === 1 ? [{ sent: now, ...first }] : events);
}

function requestOf(kind: RequestKind, n: number, now: number): string {
  const body = bodyOf(kind, n, now);
  const headers = [
    'POST /tick HTTP/1.1',
    'Host: metrics.example.org',
    'Connection: keep-alive',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Content-Type: ${kind.contentType}`,
    ...(kind.fromBrowser ? browserHeaders(agentOf(n)) : ['User-Agent: shipper/1.0', 'Accept: */*']),
  ];
  return `${headers.join('\r\n')}\r\n\r\n${body}`;
}

function browserHeaders(agent: string): readonly string[] {
  return [
    'sec-ch-ua-platform: "Linux"',
    `User-Agent: ${agent}`,
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
    'sec-ch-ua-mobile: ?0',
    'Accept: */*',
    'Origin: https://data.example.org',
    'Sec-Fetch-Site: same-site',
    'Sec-Fetch-Mode: cors',
    'Sec-Fetch-Dest: empty',
    'Referer: https://data.example.org/',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-US,en;q=0.9',
  ];
}

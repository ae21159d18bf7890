/**
 * Clients as they are out there: pages that send an event at a time, servers that send batches,
 * some with a clock that is wrong, some that send twice. A request that gets no answer or a 503 is
 * sent again, with the same ids and times, until it gets its 202. Events without an id cannot be
 * sent again: they are sent once.
 */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Book } from './book.ts';
import type { Chance } from './chance.ts';

export interface Load {
  /** Ends the clients when each has its last 202. Throws when they get none for too long. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** Of collectors that keep their port over restarts; each try goes to any of them. */
  readonly urls: readonly string[];
  readonly book: Book;
  readonly chance: Chance;
  /** Names this run in ids, so that runs can share a store. */
  readonly name: string;
  /** Rest of a client between two requests; default 5. */
  readonly restMs?: number | undefined;
}

export const ITEMS = 40;
const CLIENTS = 12;
const RETRY_PAUSE_MS = 30;
const ANSWER_TIMEOUT_MS = 30_000;
const PATIENCE_MS = 120_000;
const BATCH_EVENTS_MAX = 200;
/** Requests that had their 202 and may be sent again, of each client. */
const REPEATABLE_MAX = 50;
const HOUR_MS = 3_600_000;

interface Client {
  readonly index: number;
  readonly options: LoadOptions;
  readonly chance: Chance;
  readonly agent: Agent;
  readonly stopping: AbortSignal;
  readonly batches: boolean;
  /** How far its clock is off; it says so with `sent`. */
  readonly clockOffMs: number;
}

/** One event as it goes over the wire; `sent` is added by each try. */
interface Sent {
  readonly serial: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function startLoad(options: LoadOptions): Load {
  const stopping = new AbortController();
  const agent = new Agent({ keepAlive: true });
  const aheadMs = meetsTwins(options) ? 26 * HOUR_MS : 0;
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const chance = options.chance.fork();
    const clockOffMs = chance.pick([0, 0, 0, 0, -70 * HOUR_MS, aheadMs]);
    const batches = index % 3 === 0;
    return run({ index, options, chance, agent, stopping: stopping.signal, batches, clockOffMs });
  });
  const all = Promise.all(clients);
  all.catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      await all;
      agent.destroy();
    },
  };
}

async function run(client: Client): Promise<void> {
  const { chance, options, stopping } = client;
  const repeatable: (readonly Sent[])[] = [];
  while (!stopping.aborted) {
    const nameless = chance.happens(0.1);
    const events = newEvents(client, nameless);
    if (nameless) await once(client, events);
    else {
      // Now and then a client sends the same twice at once.
      const tries = chance.happens(0.03) ? [events, events] : [events];
      await Promise.all(tries.map((each) => untilPromised(client, each)));
      repeatable[chance.below(REPEATABLE_MAX)] = events;
    }
    const again = chance.happens(0.05) ? repeatable[chance.below(REPEATABLE_MAX)] : undefined;
    if (again !== undefined) await untilPromised(client, again);
    await delay(options.restMs ?? 5);
  }
}

function newEvents(client: Client, nameless: boolean): Sent[] {
  const { batches, chance, options } = client;
  const count = batches ? 1 + chance.below(BATCH_EVENTS_MAX) : 1;
  return Array.from({ length: count }, () => {
    const serial = options.book.newSerial();
    return { serial, body: newEvent(client, serial, nameless) };
  });
}

function newEvent(
  { chance, options, clockOffMs }: Client,
  serial: number,
  nameless: boolean,
): Record<string, unknown> {
  // Kept offline for a while, some of them.
  const ageMs = chance.happens(0.2) ? chance.below(72 * HOUR_MS) : chance.below(2_000);
  const event = {
    item: `${options.name}-${serial % ITEMS}`,
    serial: `${options.name}:${serial}`,
    referrer: 'https://www.example.org/a/page/that/links/here',
  };
  const timed = { ...event, time: Date.now() + clockOffMs - ageMs };
  if (nameless) return chance.happens(0.5) ? event : timed;
  const id = `${options.name}-${serial}`;
  return meetsTwins(options) && chance.happens(0.05) ? { ...event, id } : { ...timed, id };
}

/**
 * Whether twins without a time, or of a clock that is far ahead, are always known: several
 * collectors that take them in the same instant may not see each other's.
 */
function meetsTwins({ urls }: LoadOptions): boolean {
  return urls.length === 1;
}

/** Sends events that have ids until they are promised: as they were, or in parts. */
async function untilPromised(client: Client, events: readonly Sent[]): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    if ((await post(client, events)) === 'promised') return;
    if (Date.now() > deadline) throw new Error(`No 202 for ${PATIENCE_MS / 1000} s`);
    await delay(RETRY_PAUSE_MS);
    if (events.length > 1 && client.chance.happens(0.3)) {
      const middle = client.chance.below(events.length - 1) + 1;
      await untilPromised(client, events.slice(0, middle));
      return untilPromised(client, events.slice(middle));
    }
  }
}

async function once(client: Client, events: readonly Sent[]): Promise<void> {
  if ((await post(client, events)) === 'promised') return;
  client.options.book.undecided(events.map(({ serial }) => serial));
  await delay(RETRY_PAUSE_MS);
}

async function post(
  client: Client,
  events: readonly Sent[],
): Promise<'promised' | 'refused' | 'unanswered'> {
  const { book } = client.options;
  const answer = await send(client, bodyOf(client, events)).catch(codeOf);
  if (answer === 'ECONNREFUSED') return 'unanswered';
  book.posted();
  if (typeof answer === 'string') {
    book.wentUnanswered();
    return 'unanswered';
  }
  if (answer.status === 503) {
    book.wasRefused();
    if (!/^[1-9]\d*$/u.test(answer.retryAfter)) book.violated('A 503 came without Retry-After.');
    return 'refused';
  }
  const expected = `{"accepted":${events.length},"rejected":[]}`;
  if (answer.status !== 202 || answer.body !== expected) {
    book.violated(`A good tick was answered with ${answer.status}: ${answer.body.slice(0, 300)}`);
    throw new Error(book.violations.at(-1));
  }
  book.promised(events.map(({ serial }) => serial));
  return 'promised';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** A retry says a later `sent`: the correction of a clock must not move the event. */
function bodyOf({ clockOffMs }: Client, events: readonly Sent[]): string {
  const wire = events.map(({ body }) =>
    clockOffMs === 0 ? body : { ...body, sent: Date.now() + clockOffMs },
  );
  return JSON.stringify(wire.length === 1 ? wire[0] : wire);
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string;
  readonly body: string;
}

function send({ agent, chance, options }: Client, body: string): Promise<Answer> {
  const url = options.urls[chance.below(options.urls.length)];
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const asked = request(`${url}/tick`, { method: 'POST', agent, headers, signal });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'] ?? '',
          body: text,
        }),
      );
    });
    asked.end(body);
  });
}

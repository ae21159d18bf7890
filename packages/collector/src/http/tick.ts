import type {
  IncomingHttpHeaders,
  IncomingMessage,
  RequestListener,
  ServerResponse,
} from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { MetronomeError } from '../errors.ts';
import type { ClientFacts, Intake } from '../intake/intake.ts';
import type { Journal } from '../journal/journal.ts';
import { type BodyMemory, readBody } from './body.ts';
import { clientAddress } from './client.ts';
import type { Access } from './access.ts';
import type { Metrics } from './metrics.ts';
import { statusOf } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import type { BlockList } from 'node:net';

export interface TickParts {
  readonly intake: Intake;
  readonly journal: Pick<Journal, 'begin'>;
  readonly access: Access;
  readonly rateLimit: RateLimit;
  readonly metrics: Metrics;
  readonly trustedProxies: BlockList;
  readonly bodyBytesMax: number;
  readonly bodyMemory: BodyMemory;
  /** Told when events are on disk: how many, and when they were received (epoch ms). */
  readonly onAccepted: (count: number, receivedAt: number) => void;
  /** Epoch ms. */
  readonly now: () => number;
}

const PREFLIGHT_MAX_AGE_S = 86_400;
/** A body of more counts as several requests. */
const EVENTS_PER_REQUEST = 1_000;

const PLAIN_HEADERS = {
  'Content-Type': 'application/json',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** A tick whose body was read before Hono saw the request. */
interface Begun {
  readonly start: number;
  readonly answer: Promise<string>;
}

const begun = new WeakMap<IncomingMessage, Begun>();

/** The path of a request target, in its usual form or as a proxy sends it. */
const TICK = /^(?:https?:\/\/[^/?#]*)?\/tick(?:\?|$)/u;

/**
 * `POST /tick` before all else: the 202 is sent when every accepted event is on disk.
 *
 * This is the one route whose cost counts. What is accepted never meets Hono, whose request,
 * response and promises for each cost as much as the checks of an event; what is refused goes on
 * to it and is answered there, by `tick`, as every other error is.
 */
export function tickListener(parts: TickParts, others: RequestListener): RequestListener {
  const accept = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const request = begin(incoming, parts);
    try {
      const text = await request.answer;
      const headers = answerHeaders(incoming.headers.origin);
      outgoing.writeHead(202, { ...headers, 'Content-Length': Buffer.byteLength(text) });
      outgoing.end(text);
      parts.metrics.acceptedSeconds.observe(secondsSince(request.start));
    } catch {
      begun.set(incoming, request);
      others(incoming, outgoing);
    }
  };
  return (incoming, outgoing) => {
    const isTick = incoming.method === 'POST' && TICK.test(incoming.url ?? '');
    if (isTick) void accept(incoming, outgoing);
    else others(incoming, outgoing);
  };
}

/** What `tickListener` leaves to Hono. It takes its own time. */
export async function tick(
  context: Context<{ Bindings: HttpBindings }>,
  parts: TickParts,
): Promise<Response> {
  const { incoming } = context.env;
  const headers = answerHeaders(incoming.headers.origin);
  const { start, answer } = begun.get(incoming) ?? begin(incoming, parts);
  try {
    const text = await answer;
    parts.metrics.acceptedSeconds.observe(secondsSince(start));
    return new Response(text, { status: 202, headers });
  } catch (error) {
    for (const [name, value] of Object.entries(headers)) context.header(name, value);
    context.header('Access-Control-Expose-Headers', 'Retry-After');
    const labels = { route: '/tick', status: String(statusOf(error)) };
    parts.metrics.seconds.observe(labels, secondsSince(start));
    throw error;
  }
}

function begin(incoming: IncomingMessage, parts: TickParts): Begun {
  return { start: performance.now(), answer: take(incoming, parts) };
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** What else `/tick` answers: a preflight of a page, and other methods. */
export function tickRoutes({ access }: TickParts): Hono {
  const routes = new Hono();
  routes.options(
    '/',
    cors({
      origin: (origin) => (access.allowsOrigin(origin) ? origin : null),
      allowMethods: ['POST'],
      allowHeaders: ['Content-Type', 'Content-Encoding', 'Authorization'],
      maxAge: PREFLIGHT_MAX_AGE_S,
    }),
  );
  routes.all('/', (context) => {
    context.header('Allow', 'POST, OPTIONS');
    throw new MetronomeError('bad-method', 'Send events with POST.');
  });
  return routes;
}

/** An origin that may not send has no business with the answer, but is told why in it. */
function answerHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined) return PLAIN_HEADERS;
  return { ...PLAIN_HEADERS, 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
}

async function take(incoming: IncomingMessage, parts: TickParts): Promise<string> {
  const { headers, url = '' } = incoming;
  const forwardedFor = headers['x-forwarded-for']?.toString();
  const ip = clientAddress(incoming.socket.remoteAddress ?? '', forwardedFor, parts.trustedProxies);
  const privileged = checkSender(headers, keyOf(url), ip, parts);
  const bytes = await readBody(incoming, parts.bodyBytesMax, parts.bodyMemory);
  const body = { contentType: headers['content-type'], bytes };
  const receivedAt = parts.now();
  const client = { receivedAt, ip, privileged, ...senderFacts(headers) };
  const { add, commit } = parts.journal.begin();
  const { accepted, rejected } = parts.intake.take(body, client, add);
  if (!privileged) chargeEvents(accepted + rejected.length, ip, parts);
  if (accepted > 0) {
    await commit();
    parts.onAccepted(accepted, receivedAt);
  }
  if (rejected.length === 0) return `{"accepted":${accepted},"rejected":[]}`;
  countRefused(parts.metrics, rejected);
  if (accepted > 0) return JSON.stringify({ accepted, rejected });
  throw new MetronomeError('bad-request', 'No event of this body could be accepted.', {
    extensions: { rejected },
  });
}

function countRefused(
  { refused }: Metrics,
  rejected: readonly { readonly reason: string }[],
): void {
  const byReason = Map.groupBy(rejected, ({ reason }) => reason);
  for (const [reason, events] of byReason) refused.inc({ reason }, events.length);
}

/** `?key=`. */
function keyOf(url: string): string | undefined {
  const at = url.indexOf('?');
  return at === -1 ? undefined : (new URLSearchParams(url.slice(at)).get('key') ?? undefined);
}

/** Whether the sender has a valid write key. Throws when it may not send, or not so often. */
function checkSender(
  { authorization, origin }: IncomingHttpHeaders,
  key: string | undefined,
  address: string,
  parts: TickParts,
): boolean {
  let isPrivileged = false;
  try {
    isPrivileged = parts.access.checkWrite({ authorization, key, origin });
    return isPrivileged;
  } finally {
    // Whoever tries keys out is slowed down like everybody without one.
    if (!isPrivileged) checkRate(address, parts);
  }
}

function checkRate(address: string, { rateLimit }: TickParts): void {
  if (rateLimit.allows(address, performance.now())) return;
  throw new MetronomeError('too-many', 'You send too many requests; send larger batches.', {
    retryAfterS: 1,
  });
}

/** What a request of so many events costs beside the one that it was let in for. */
function chargeEvents(events: number, address: string, { rateLimit }: TickParts): void {
  if (events > EVENTS_PER_REQUEST) {
    rateLimit.charge(address, Math.ceil(events / EVENTS_PER_REQUEST) - 1);
  }
}

function senderFacts(
  headers: IncomingHttpHeaders,
): Pick<ClientFacts, 'userAgent' | 'fromBrowser' | 'privacy'> {
  return {
    userAgent: headers['user-agent'],
    fromBrowser: headers.origin !== undefined || headers['sec-fetch-site'] !== undefined,
    privacy: headers['sec-gpc'] === '1' || headers['dnt'] === '1',
  };
}

import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { MetronomeError } from '../errors.ts';
import type { ClientFacts, Intake } from '../intake/intake.ts';
import type { Journal } from '../journal/journal.ts';
import { readBody } from './body.ts';
import { clientAddress } from './client.ts';
import type { Access } from './access.ts';
import type { Metrics } from './metrics.ts';
import type { RateLimit } from './rate-limit.ts';
import type { BlockList } from 'node:net';

export interface TickParts {
  readonly intake: Intake;
  readonly journal: Pick<Journal, 'append'>;
  readonly access: Access;
  readonly rateLimit: RateLimit;
  readonly metrics: Metrics;
  readonly trustedProxies: BlockList;
  readonly bodyBytesMax: number;
  /** Epoch ms. */
  readonly now: () => number;
}

const PREFLIGHT_MAX_AGE_S = 86_400;

/** `POST /tick`: the 202 is sent when every accepted event is on disk. */
export function tickRoutes(parts: TickParts): Hono<{ Bindings: HttpBindings }> {
  const routes = new Hono<{ Bindings: HttpBindings }>();
  const { access } = parts;
  routes.use(
    cors({
      origin: (origin) => (access.allowsOrigin(origin) ? origin : null),
      allowMethods: ['POST'],
      allowHeaders: ['Content-Type', 'Content-Encoding', 'Authorization'],
      exposeHeaders: ['Retry-After'],
      maxAge: PREFLIGHT_MAX_AGE_S,
    }),
  );
  routes.post('/', (context) => tick(context, parts));
  routes.all('/', (context) => {
    context.header('Allow', 'POST, OPTIONS');
    throw new MetronomeError('bad-method', 'Send events with POST.');
  });
  return routes;
}

async function tick(
  context: Context<{ Bindings: HttpBindings }>,
  parts: TickParts,
): Promise<Response> {
  const { intake, journal, metrics } = parts;
  const { req } = context;
  const address = addressOf(context, parts.trustedProxies);
  const privileged = parts.access.checkWrite({
    authorization: req.header('authorization'),
    key: req.query('key'),
    origin: req.header('origin'),
  });
  if (!privileged && !parts.rateLimit.allows(address, performance.now())) {
    throw new MetronomeError('too-many', 'You send too many requests; send larger batches.', {
      retryAfterS: 1,
    });
  }
  const bytes = await readBody(req, parts.bodyBytesMax);
  const body = { contentType: req.header('content-type'), bytes };
  const taken = intake.take(body, clientFacts(context, address, privileged, parts.now()));
  if (taken.lines.length > 0) await journal.append(taken.lines);
  metrics.accepted.inc(taken.lines.length);
  const { rejected } = taken;
  if (rejected.length === 0) return accepted(context, taken.lines.length);
  metrics.refused.inc({ reason: 'event' }, rejected.length);
  if (taken.lines.length > 0) {
    return context.json({ accepted: taken.lines.length, rejected }, 202);
  }
  throw new MetronomeError('bad-request', 'No event of this body could be accepted.', {
    extensions: { rejected },
  });
}

/** By far the most frequent answer, so it is not assembled anew. */
function accepted(context: Context, count: number): Response {
  const headers = { 'Content-Type': 'application/json' };
  return context.body(`{"accepted":${count},"rejected":[]}`, 202, headers);
}

function addressOf(context: Context<{ Bindings: HttpBindings }>, trusted: BlockList): string {
  const socketAddress = context.env.incoming.socket.remoteAddress ?? '';
  return clientAddress(socketAddress, context.req.header('x-forwarded-for'), trusted);
}

function clientFacts(
  { req }: Context,
  address: string,
  privileged: boolean,
  receivedAt: number,
): ClientFacts {
  const origin = req.header('origin');
  const secFetchSite = req.header('sec-fetch-site');
  return {
    receivedAt,
    ip: address,
    privileged,
    userAgent: req.header('user-agent'),
    fromBrowser: origin !== undefined || secFetchSite !== undefined,
    privacy: req.header('sec-gpc') === '1' || req.header('dnt') === '1',
  };
}

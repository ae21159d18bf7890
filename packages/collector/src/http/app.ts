import type { RequestListener } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import { MetronomeError } from '../errors.ts';
import { BodyMemory } from './body.ts';
import { healthRoutes, type Readiness } from './health.ts';
import type { Metrics } from './metrics.ts';
import { isForeseen, problem } from './problem.ts';
import { sdkRoutes } from './sdk.ts';
import { tick, tickListener, type TickParts, tickRoutes } from './tick.ts';
import { type TockParts, tockRoutes } from './tock.ts';
import { answerWithoutRoute } from './unreadable.ts';

export interface AppParts extends Omit<TickParts, 'bodyMemory'>, TockParts {
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly log: Logger;
  /** The pages: greeting and, where it is served, the example. */
  readonly pages: Hono;
}

const BODY_MEMORY_BYTES = 64 * 1024 * 1024;
/** One of the greatest size fits in any case: as sent, as unpacked, and the pieces of both. */
const BODIES_MIN = 4;

/** What the public server listens with. */
export function createListener(parts: AppParts): RequestListener {
  const bytes = Math.max(BODY_MEMORY_BYTES, BODIES_MIN * parts.bodyBytesMax);
  const all = { ...parts, bodyMemory: new BodyMemory(bytes) };
  return tickListener(all, listenerOf(createApp(all)));
}

/** Routes as Node's server takes them. Errors of routes are answered by them. */
export function listenerOf({
  fetch,
}: {
  readonly fetch: Parameters<typeof getRequestListener>[0];
}): RequestListener {
  const listener = getRequestListener(fetch, { errorHandler: answerWithoutRoute });
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

/** All routes of the collector. */
function createApp(parts: AppParts & TickParts): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(
    secureHeaders({
      crossOriginResourcePolicy: 'cross-origin',
      contentSecurityPolicy: { defaultSrc: ["'self'"], frameAncestors: ["'none'"] },
      xFrameOptions: 'DENY',
      // Whether its host speaks TLS only is for the proxy in front to say.
      strictTransportSecurity: false,
    }),
  );
  // Before the clock: it times itself.
  app.post('/tick', (context) => tick(context, parts));
  app.use(async (context, next) => {
    const start = performance.now();
    await next();
    const labels = { route: routePath(context, -1), status: String(context.res.status) };
    parts.metrics.seconds.observe(labels, (performance.now() - start) / 1000);
  });
  app.route('/tick', tickRoutes(parts));
  app.route('/', sdkRoutes());
  app.route('/', tockRoutes(parts));
  app.route('/', healthRoutes(parts.readiness, parts.metrics));
  app.route('/', parts.pages);
  app.notFound((context) => {
    const { method, path } = context.req;
    if (!app.router.match('GET', path)[0].some(([[, route]]) => route.method === 'GET')) {
      const message = `There is nothing at ${path}.`;
      return problem(context, new MetronomeError('not-found', message));
    }
    context.header('Allow', 'GET, HEAD');
    return problem(
      context,
      new MetronomeError('bad-method', `${path} is read with GET, not ${method}.`),
    );
  });
  app.onError((error, context) => {
    if (!isForeseen(error))
      parts.log.error({ err: error, path: context.req.path }, 'request failed');
    return problem(context, error);
  });
  return app;
}

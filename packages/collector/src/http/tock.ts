import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { MetronomeError } from '../errors.ts';
import type { EventStore } from '../event-store.ts';
import { answerTock } from '../tock/tock.ts';
import { parseTockRequest } from '../tock/tock-request.ts';
import type { Access } from './access.ts';

export interface TockParts {
  readonly store: EventStore;
  readonly access: Access;
  /** IANA zone of answers whose request names none. */
  readonly timeZone: string;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Answers change with every event; a page that is read by many may still share one. */
const CACHE_CONTROL = 'private, max-age=1';

/** `GET /tock.json` and `GET /tock/:id.json`. */
export function tockRoutes(parts: TockParts): Hono {
  const routes = new Hono();
  for (const path of ['/tock.json', '/tock/*'] as const) {
    routes.use(path, cors({ origin: '*', allowMethods: ['GET'], allowHeaders: ['Authorization'] }));
    routes.use(path, async (context, next) => {
      parts.access.checkRead(context.req.header('authorization'));
      await next();
    });
    routes.use(path, etag());
  }
  routes.get('/tock.json', (context) => answer(context, parts, undefined));
  routes.get('/tock/*', (context) => answer(context, parts, readId(context.req.url)));
  return routes;
}

async function answer(
  context: Context,
  { store, timeZone, now }: TockParts,
  id: string | undefined,
): Promise<Response> {
  const parameters = new URL(context.req.url).searchParams;
  const json = await answerTock(store, parseTockRequest(id, parameters, timeZone), now());
  return context.body(json, 200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': CACHE_CONTROL,
  });
}

/**
 * The id in a path, decoded once: ids may hold any character, `/` as `%2F`. The last extension is
 * the format, so the item `a.csv` is asked for as `/tock/a.csv.json`.
 */
function readId(url: string): string {
  const [path = ''] = url.replace(/^[^/]*\/\/[^/]*/u, '').split('?');
  const [, , file = '', ...more] = path.split('/');
  if (more.length > 0 || !file.endsWith('.json')) {
    const message = 'Ask for /tock/ITEM.json; a "/" in the item is written %2F.';
    throw new MetronomeError('not-found', message);
  }
  try {
    return decodeURIComponent(file.slice(0, -'.json'.length));
  } catch (cause) {
    const message = 'The item is not valid percent-encoding; a "%" is written %25.';
    throw new MetronomeError('bad-request', message, { cause });
  }
}

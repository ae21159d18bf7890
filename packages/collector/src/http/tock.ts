import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { MetronomeError } from '../errors.ts';
import type { EventStore } from '../event-store.ts';
import { answerRequest } from '../tock/answer-request.ts';
import { parseRequest, type RequestRules } from '../tock/request.ts';
import type { Statistic } from '../tock/statistic.ts';
import { items } from '../tock/statistics/items.ts';
import { tock } from '../tock/statistics/tock.ts';
import { statisticNamed, type Statistics } from '../tock/statistics.ts';
import type { Access } from './access.ts';

export interface TockParts {
  readonly store: EventStore;
  readonly statistics: Statistics;
  readonly access: Access;
  /** IANA zone of answers whose request names none. */
  readonly timeZone: string;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Answers change with every event; a page that is read by many may still share one. */
const CACHE_CONTROL = 'private, max-age=1';

/**
 * `GET /tock.json`, `/tock/:id.json`, `/tock/:id/:query.json`, `/query/:query.json` and
 * `/items.json`.
 */
export function tockRoutes(parts: TockParts): Hono {
  const routes = new Hono();
  for (const path of ['/tock.json', '/tock/*', '/query/*', '/items.json'] as const) {
    routes.use(path, cors({ origin: '*', allowMethods: ['GET'], allowHeaders: ['Authorization'] }));
    routes.use(path, async (context, next) => {
      parts.access.checkRead(context.req.header('authorization'));
      await next();
    });
    routes.use(path, etag());
  }
  const { timeZone } = parts;
  const answer = async (
    context: Context,
    statistic: Statistic,
    id?: string,
    rules: Partial<RequestRules> = {},
  ): Promise<Response> => {
    const { searchParams } = new URL(context.req.url);
    const names = statistic.parameters;
    const request = parseRequest(id, searchParams, { names, timeZone, ...rules });
    const json = await answerRequest(parts.store, statistic, request, parts.now());
    return context.body(json, 200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': CACHE_CONTROL,
    });
  };
  const named = (name: string): Statistic => statisticNamed(parts.statistics, name);
  routes.get('/tock.json', (context) => answer(context, tock));
  routes.get('/items.json', (context) => answer(context, items, undefined, { scopes: ['prefix'] }));
  routes.get('/tock/*', (context) => {
    const [id = '', query] = readNames(context.req.url, 'Ask for /tock/ITEM.json', 2);
    return answer(context, query === undefined ? tock : named(query), id);
  });
  routes.get('/query/*', (context) => {
    const [query = ''] = readNames(context.req.url, 'Ask for /query/QUERY.json', 1);
    return answer(context, named(query));
  });
  return routes;
}

/**
 * The names after the first part of a path, each decoded once: ids may hold any character, `/` as
 * `%2F`. The last extension is the format, so the item `a.csv` is asked for as `/tock/a.csv.json`.
 */
function readNames(url: string, ask: string, max: number): readonly string[] {
  const [path = ''] = url.replace(/^[^/]*\/\/[^/]*/u, '').split('?');
  const names = path.split('/').slice(2);
  const last = names.at(-1);
  if (names.length > max || !last?.endsWith('.json')) {
    throw new MetronomeError('not-found', `${ask}; a "/" in a name is written %2F.`);
  }
  try {
    return [...names.slice(0, -1), last.slice(0, -'.json'.length)].map(decodeURIComponent);
  } catch (cause) {
    const message = 'The name is not valid percent-encoding; a "%" is written %25.';
    throw new MetronomeError('bad-request', message, { cause });
  }
}

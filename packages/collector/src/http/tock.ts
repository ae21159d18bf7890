import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { compress } from 'hono/compress';
import { cors } from 'hono/cors';
import { etag, RETAINED_304_HEADERS } from 'hono/etag';
import type { EventStore } from '../event-store.ts';
import { type Answered, answerRequest, type AnswerRules } from '../tock/answer-request.ts';
import { formatNames, type FormatName, FORMATS } from '../tock/formats.ts';
import { parseRequest, type RequestRules } from '../tock/request.ts';
import type { Statistic } from '../tock/statistic.ts';
import { items } from '../tock/statistics/items.ts';
import { tock } from '../tock/statistics/tock.ts';
import { statisticNamed, type Statistics } from '../tock/statistics.ts';
import type { Access } from './access.ts';
import { cacheControl } from './cache-control.ts';
import { readNames } from './names.ts';
import { openapi } from './openapi.ts';
import { UnderWay } from './under-way.ts';

export interface TockParts {
  readonly store: EventStore;
  readonly statistics: Statistics;
  readonly access: Access;
  /** IANA zone of answers whose request names none. */
  readonly timeZone: string;
  readonly answerRules: AnswerRules;
  /** Epoch ms. */
  readonly now: () => number;
}

/**
 * `GET /tock.json`, `/tock/:id.json`, `/tock/:id/:query.json`, `/query/:query.json` and
 * `/items.json`, each also as `.csv` and `.ndjson`; and `GET /openapi.json`, which describes them.
 */
export function tockRoutes(parts: TockParts): Hono {
  const routes = new Hono();
  prepare(routes, parts.access);
  const description = openapi(parts.statistics, parts.access.guardsReading);
  routes.get('/openapi.json', (context) => context.json(description));
  const underWay = new UnderWay<Answered>();
  const reply = (context: Context, question: Question): Promise<Response> =>
    answer(context, parts, underWay, question);
  const named = (name: string): Statistic => statisticNamed(parts.statistics, name);
  for (const format of formatNames) {
    routes.get(`/tock.${format}`, (context) => reply(context, { statistic: tock, format }));
    routes.get(`/items.${format}`, (context) =>
      reply(context, { statistic: items, format, scopes: ['prefix'] }),
    );
  }
  routes.get('/tock/*', (context) => {
    const { names, format } = readNames(context.req.url, 'Ask for /tock/ITEM.json', 2);
    const [item = '', query] = names;
    const statistic = query === undefined ? tock : named(query);
    return reply(context, { statistic, format, item });
  });
  routes.get('/query/*', (context) => {
    const { names, format } = readNames(context.req.url, 'Ask for /query/QUERY.json', 1);
    return reply(context, { statistic: named(names[0] ?? ''), format });
  });
  return routes;
}

const READ = [
  '/openapi.json',
  ...formatNames.flatMap((format) => [`/tock.${format}`, `/items.${format}`]),
  '/tock/*',
  '/query/*',
];

/** Any page may read, who has a token where one is needed; what has not changed is not sent again. */
function prepare(routes: Hono, access: Access): void {
  const retainedHeaders = [...RETAINED_304_HEADERS, 'access-control-allow-origin'];
  for (const path of READ) {
    routes.use(path, cors({ origin: '*', allowMethods: ['GET'], allowHeaders: ['Authorization'] }));
    routes.use(path, async (context, next) => {
      access.checkRead(context.req.header('authorization'));
      await next();
    });
    routes.use(path, compress());
    routes.use(path, etag({ retainedHeaders }));
  }
}

/** What a path asks for. */
interface Question extends Pick<RequestRules, 'scopes'> {
  readonly statistic: Statistic;
  readonly format: FormatName;
  readonly item?: string;
}

async function answer(
  context: Context,
  { store, timeZone, answerRules, access, now }: TockParts,
  underWay: UnderWay<Answered>,
  { statistic, format, item, scopes }: Question,
): Promise<Response> {
  const { searchParams } = new URL(context.req.url);
  const names = statistic.parameters;
  const rules = { names, timeZone, ...(scopes && { scopes }) };
  const request = parseRequest(item, searchParams, rules);
  const at = now();
  const answered = await underWay.share(context.req.url, () =>
    answerRequest(store, statistic, request, at, answerRules),
  );
  const { type, write } = FORMATS[accepted(context, format)];
  const body = write(answered.answer, answered.table);
  return context.body(body, 200, {
    'Content-Type': `${type}; charset=utf-8`,
    // By which it is known what is too short to be compressed.
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': cacheControl(answered.range, at, access.guardsReading),
    Vary: 'Accept, Authorization',
  });
}

/** A path that ends with `.json` leaves it to `Accept`; the other extensions are definite. */
function accepted(context: Context, format: FormatName): FormatName {
  if (format !== 'json') return format;
  const types = formatNames.map((name) => FORMATS[name].type);
  const type = accepts(context, { header: 'Accept', supports: types, default: FORMATS.json.type });
  return formatNames.find((name) => FORMATS[name].type === type) ?? 'json';
}

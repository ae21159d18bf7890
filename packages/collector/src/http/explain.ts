import { Hono } from 'hono';
import { explainRequest } from '../tock/explain-request.ts';
import { parseRequest } from '../tock/request.ts';
import { items } from '../tock/statistics/items.ts';
import { tock } from '../tock/statistics/tock.ts';
import { statisticNamed } from '../tock/statistics.ts';
import { readNames } from './names.ts';
import type { TockParts } from './tock.ts';

/** `GET /explain/:query.json` and `/explain/:query/:id.json`: what the store is asked for an answer. */
export function explainRoutes(parts: Omit<TockParts, 'access'>): Hono {
  const { store, timeZone, answerRules, now } = parts;
  const statistics = new Map([['tock', tock], ['items', items], ...parts.statistics]);
  return new Hono().get('/explain/*', async (context) => {
    const { names } = readNames(context.req.url, 'Ask for /explain/QUERY.json', 2);
    const [query = '', item] = names;
    const statistic = statisticNamed(statistics, query);
    const { searchParams } = new URL(context.req.url);
    const request = parseRequest(item, searchParams, { names: statistic.parameters, timeZone });
    return context.json(await explainRequest(store, statistic, request, now(), answerRules));
  });
}

import { MetronomeError } from '../errors.ts';
import type { EventStore } from '../event-store.ts';
import { type Filter, QUERY_LIMITS, type Query, type Row } from '../query/query.ts';
import { onlyApp } from './only-app.ts';
import { period } from './period.ts';
import type { TockInterval, TockRequest } from './tock-request.ts';

/**
 * Answers a tock as JSON text: `views` by time, newest first, `downloads` by format and `referers`,
 * highest first. It is text and not an object, because objects put keys that look like integers
 * before all others. `now` is epoch ms.
 *
 * Throws `bad-request` where there are several apps and the request names none.
 */
export async function answerTock(
  store: EventStore,
  request: TockRequest,
  now: number,
): Promise<string> {
  const range = period(request, now);
  const app = request.app ?? (await onlyApp(store, now));
  const tock = async (scope?: Filter): Promise<string> => {
    const queries = tockQueries(request, range, filterOf(request, app, scope));
    const [views, downloads, referers] = await Promise.all([
      whole(store, queries.views),
      store.query(queries.downloads),
      store.query(queries.referers),
    ]);
    return jsonObject([
      ['views', counts(views, (start) => bucketKey(Number(start), request))],
      ['downloads', counts(downloads, String)],
      ['referers', counts(referers, String)],
    ]);
  };
  switch (request.scope.kind) {
    case 'site':
      return tock();
    case 'prefix':
      return tock({ kind: 'prefix', field: 'item', value: request.scope.prefix });
    case 'item':
      return tock({ kind: 'equals', field: 'item', value: request.scope.item });
    case 'items': {
      const answers: [string, string][] = [];
      for (const item of request.scope.items) {
        answers.push([item, await tock({ kind: 'equals', field: 'item', value: item })]);
      }
      return jsonObject(answers);
    }
  }
}

const count = { n: { kind: 'count' } } as const;

/** The three statistics of a tock, as data. */
export function tockQueries(
  { interval, timeZone, limit }: Pick<TockRequest, 'interval' | 'timeZone' | 'limit'>,
  range: Query['range'],
  filter: Filter,
): { readonly views: Query; readonly downloads: Query; readonly referers: Query } {
  const of = (event: string): Filter => ({
    kind: 'and',
    filters: [{ kind: 'equals', field: 'event', value: event }, filter],
  });
  return {
    views: {
      measures: count,
      dimensions: { key: { kind: 'time', interval } },
      filter: of('view'),
      range,
      timeZone,
      order: [{ by: 'key', direction: 'descending' }],
    },
    downloads: {
      measures: count,
      dimensions: { key: { kind: 'field', field: 'format', missing: 'other' } },
      filter: of('download'),
      range,
      limit,
    },
    referers: {
      measures: count,
      dimensions: { key: { kind: 'field', field: 'referer' } },
      filter: of('view'),
      range,
      limit,
    },
  };
}

function filterOf({ bots }: TockRequest, app: string | undefined, scope?: Filter): Filter {
  const noBots: Filter = { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } };
  return {
    kind: 'and',
    filters: [
      ...(app === undefined ? [] : [{ kind: 'equals', field: 'app', value: app } as const]),
      ...(scope ? [scope] : []),
      ...(bots === 'exclude' ? [noBots] : []),
    ],
  };
}

/** Rows of a query that must not be cut: a partial answer is never passed off as whole. */
async function whole(store: EventStore, query: Query): Promise<readonly Row[]> {
  const rows = await store.query(query);
  if (rows.length < QUERY_LIMITS.rowsMax) return rows;
  const message = `the answer has ${QUERY_LIMITS.rowsMax} views or more: ask for a longer interval or a shorter period`;
  throw new MetronomeError('bad-request', message);
}

function counts(rows: readonly Row[], key: (value: Row[string]) => string): string {
  return jsonObject(rows.map((row) => [key(row['key'] ?? null), String(row['n'])]));
}

/** The members are JSON already; their order is kept. */
function jsonObject(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}

type Bucket = { readonly interval: TockInterval; readonly timeZone: string };

/** `2026-11-23T14:00+01:00`, `2026-11-23` for a day or the Monday of a week, `2026-11`. */
function bucketKey(start: number, { interval, timeZone }: Bucket): string {
  const at = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(timeZone);
  switch (interval) {
    case 'hour':
      return at.toString({ smallestUnit: 'minute', timeZoneName: 'never' });
    case 'day':
    case 'week':
      return at.toPlainDate().toString();
    case 'month':
      return at.toPlainDate().toPlainYearMonth().toString();
  }
}

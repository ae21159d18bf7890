import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventStore } from '../../src/event-store.ts';
import { Access } from '../../src/http/access.ts';
import { problem } from '../../src/http/problem.ts';
import { tockRoutes } from '../../src/http/tock.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';
import { ElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { parametersSchema } from '../../src/tock/parameters.ts';
import { allStatistics } from '../../src/tock/statistics.ts';
import { batchOf, eventAt } from '../store/journal-lines.ts';

const now = Date.UTC(2026, 10, 23, 12);
const noon = new Date(now).toISOString();
let dataDir = '';
let store: EventStore;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-tock-routes-'));
  store = openDuckdbStore({ dataDir });
  const events = [
    eventAt(noon, 'default', { item: 'trees', 'user.id': 'v1' }),
    eventAt(noon, 'default', {
      item: 'trees',
      'event.action': 'download',
      'file.extension': 'kml',
    }),
    eventAt(noon, 'default', { item: 'a.csv', 'user.id': 'v2' }),
    eventAt('2026-11-20T12:00:00.000Z', 'default', { item: '=1+1' }),
  ];
  await store.append(batchOf('journal', 1, events), () => Promise.resolve());
  await store.maintain(new AbortController().signal);
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

function routes(options: { store?: EventStore; readTokens?: readonly string[] } = {}): Hono {
  return tockRoutes({
    store,
    statistics: allStatistics({ 'by-format': { measures: { n: { kind: 'count' } } } }),
    access: new Access({ writeKeys: [], origins: [], readTokens: [], ...options }),
    timeZone: 'UTC',
    answerRules: { sites: [], queryEventsMax: 2, retentionDays: 30 },
    now: () => now,
    ...options,
  }).onError((error, context) => problem(context, error));
}

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  Promise.resolve(routes().request(path, { headers }));

async function refusal(path: string): Promise<unknown> {
  const response = await get(path);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return response.json();
}

describe('the format of an answer', () => {
  const csv = 'name,key,value\r\nviews,2026-11-23,1\r\ndownloads,kml,1\r\n';
  const lines =
    '{"name":"views","key":"2026-11-23","value":1}\n{"name":"downloads","key":"kml","value":1}\n';

  it.each([
    ['/tock/trees.csv', 'text/csv', csv],
    ['/tock/trees.ndjson', 'application/x-ndjson', lines],
    ['/tock/a.csv.csv', 'text/csv', 'name,key,value\r\nviews,2026-11-23,1\r\n'],
    ['/tock/trees/by-format.csv', 'text/csv', 'n\r\n2\r\n'],
    ['/query/by-format.csv?prefix=t', 'text/csv', 'n\r\n2\r\n'],
    ['/query/by-format.csv?item=trees&item=a.csv', 'text/csv', 'id,n\r\ntrees,2\r\na.csv,1\r\n'],
    ['/items.csv?by=views', 'text/csv', "item,value\r\n'=1+1,1\r\na.csv,1\r\ntrees,1\r\n"],
    ['/items.ndjson?prefix=t', 'application/x-ndjson', '{"item":"trees","value":1}\n'],
    [
      '/tock.csv?from=2026-11-20&to=2026-11-20',
      'text/csv',
      'name,key,value\r\nviews,2026-11-20,1\r\n',
    ],
  ])('is the last extension: %s', async (path, type, text) => {
    const response = await get(path);
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(await response.text()).toBe(text);
  });

  it.each([
    ['text/csv', csv],
    ['application/x-ndjson', lines],
    ['application/json;q=0.5, text/csv', csv],
    ['text/csv;q=0.5, application/json', '{"views":{"2026-11-23":1},'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', '{"views":{"2026-11-23":1},'],
    ['image/png', '{"views":{"2026-11-23":1},'],
  ])('is what Accept prefers where the path says .json: %s', async (accept, text) => {
    const response = await get('/tock/trees.json', { accept });
    expect(response.headers.get('vary')).toContain('Accept');
    expect(await response.text()).toContain(text);
    expect(await (await get('/tock/trees.csv', { accept: 'application/json' })).text()).toBe(csv);
  });

  it('is not JSONP', async () => {
    expect(await refusal('/tock/trees.json?callback=f')).toMatchObject({ status: 400 });
  });

  it.each(['/tock/trees', '/tock/trees.xml', '/tock/trees/visitors', '/tock/a/b/c.json', '/tock/'])(
    '%s names none',
    async (path) => {
      expect(await refusal(path)).toMatchObject({
        status: 404,
        detail: 'Ask for /tock/ITEM.json (.json, .csv, .ndjson); a "/" in a name is written %2F.',
      });
    },
  );
});

describe('caching', () => {
  it('is long for days that are over, and a second for today', async () => {
    const past = await get('/tock/trees.json?from=2026-11-01&to=2026-11-22');
    expect(past.headers.get('cache-control')).toBe('public, max-age=300');
    const today = await get('/tock/trees.json');
    expect(today.headers.get('cache-control')).toBe('public, max-age=1');
    // There it is the 24th by now.
    const elsewhere = await get('/tock/trees.json?to=2026-11-23&tz=Pacific/Kiritimati');
    expect(elsewhere.headers.get('cache-control')).toBe('public, max-age=300');
  });

  it('is private where a token is needed', async () => {
    const guarded = routes({ readTokens: ['let-me-read'] });
    const refused = await guarded.request('/tock/trees.json');
    expect(refused.status).toBe(401);
    const headers = { authorization: 'Bearer let-me-read' };
    const response = await guarded.request('/tock/trees.json', { headers });
    expect(response.headers.get('cache-control')).toBe('private, max-age=1');
    expect(response.headers.get('vary')).toContain('Authorization');
  });

  it('answers 304 while nothing has changed', async () => {
    const first = await get('/tock/trees.json');
    const etag = first.headers.get('etag') ?? '';
    const again = await get('/tock/trees.json', { 'if-none-match': etag });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    expect(again.headers.get('etag')).toBe(etag);
    expect(again.headers.get('cache-control')).toBe('public, max-age=1');
    expect(again.headers.get('access-control-allow-origin')).toBe('*');
    const other = await get('/tock/a.csv.json', { 'if-none-match': etag });
    expect(other.status).toBe(200);
    const csv = await get('/tock/trees.csv', { 'if-none-match': etag });
    expect(csv.status).toBe(200);
  });

  it('is compressed where it is long, and the same thing for a cache', async () => {
    const gzip = { 'accept-encoding': 'gzip' };
    const short = await get('/tock/trees.json', gzip);
    expect(short.headers.get('content-encoding')).toBeNull();
    const path = `/tock.json?${Array.from({ length: 50 }, (_, n) => `item=item-${n}`).join('&')}`;
    const plain = await get(path);
    const long = await get(path, gzip);
    expect(long.headers.get('content-encoding')).toBe('gzip');
    expect(long.headers.get('vary')).toContain('Accept-Encoding');
    const body = Buffer.from(await long.arrayBuffer());
    const text = await plain.text();
    expect(gunzipSync(body).toString()).toBe(text);
    expect(body.length).toBeLessThan(text.length / 2);
    const etag = long.headers.get('etag') ?? '';
    expect((await get(path, { ...gzip, 'if-none-match': etag })).status).toBe(304);
  });
});

describe('bad input', () => {
  it('names the nearest query', async () => {
    expect(await refusal('/tock/trees/visitor.json')).toMatchObject({
      status: 404,
      detail: 'There is no query "visitor": did you mean visitors?',
    });
    expect(await refusal('/query/by-fromat.json')).toMatchObject({
      detail: 'There is no query "by-fromat": did you mean by-format?',
    });
    expect(await refusal('/query/items.json')).toMatchObject({
      detail: 'There is no query "items": it has a call of its own, /items.json',
    });
    expect(await refusal('/query/__proto__.json')).toMatchObject({ status: 404 });
  });

  it('says what the retention is', async () => {
    expect(await refusal('/tock/trees.json?from=2026-10-01')).toMatchObject({
      status: 400,
      detail:
        '2026-10-01 is beyond the retention: the first whole day whose events are kept is 2026-10-24',
    });
  });

  it('can be read by the page that asked', async () => {
    const response = await get('/tock/trees.json?form=2026-11-01', { origin: 'https://a.example' });
    expect(response.status).toBe(400);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('says what a query would cost', async () => {
    expect(await refusal('/query/devices.json')).toMatchObject({
      status: 400,
      events: 3,
      eventsMax: 2,
    });
    expect((await get('/query/devices.json?from=2026-11-23')).status).toBe(200);
    expect(await refusal('/items.json?by=visitors')).toMatchObject({ status: 400, events: 4 });
    expect((await get('/items.json')).status).toBe(200);
  });

  it('is told from a store that is away', async () => {
    const away = new ElasticsearchStore({ nodes: ['http://127.0.0.1:1'] });
    for (const path of ['/tock/trees.json', '/tock/trees/errors.csv', '/items.json']) {
      const response = await routes({ store: away }).request(path);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).not.toBeNull();
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.headers.get('cache-control')).toBeNull();
    }
    await away.close();
  });
});

describe('openapi.json', () => {
  interface Document {
    readonly paths: Record<string, { get: { parameters: { $ref: string }[]; summary: string } }>;
    readonly components: { readonly parameters: Record<string, { name: string; in: string }> };
    readonly security: unknown[];
  }
  const document = async (): Promise<Document> => (await get('/openapi.json')).json();

  it('has every call, and each is as it says', async () => {
    const { paths } = await document();
    expect(Object.keys(paths)).toHaveLength(2 * (allStatistics().size + 2) + 1);
    for (const [path, { get: call }] of Object.entries(paths)) {
      const url = path.replace('{item}', 'trees').replace('{format}', 'json');
      const response = await get(`${url}?zzzzzz=1`);
      const { detail } = (await response.json()) as { detail: string };
      const taken = detail.split('there are ')[1]?.split(', ');
      const described = call.parameters
        .map(({ $ref }) => $ref.split('/').at(-1) ?? '')
        .filter((name) => !name.startsWith('path-'));
      expect(described.toSorted()).toEqual(taken?.toSorted());
      expect(call.summary).not.toBe('');
    }
  });

  it('describes the parameters by the schemas that check them', async () => {
    const { components } = await document();
    for (const name of Object.keys(parametersSchema.shape)) {
      expect(components.parameters[name]).toMatchObject({ name, in: 'query' });
    }
    expect(components.parameters).toMatchObject({
      from: { schema: { type: 'string', format: 'date' } },
      interval: { schema: { enum: ['hour', 'day', 'week', 'month'] } },
      bots: { schema: { default: 'exclude' } },
      item: { schema: { type: 'array', maxItems: 100 } },
    });
  });

  it('asks for a token only where one is needed', async () => {
    expect((await document()).security).toEqual([]);
    const guarded = routes({ readTokens: ['let-me-read'] });
    expect((await guarded.request('/openapi.json')).status).toBe(401);
    const headers = { authorization: 'Bearer let-me-read' };
    const response = await guarded.request('/openapi.json', { headers });
    expect(((await response.json()) as Document).security).toEqual([{ token: [] }]);
  });
});

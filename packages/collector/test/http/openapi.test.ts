import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Statistics as ClientStatistics } from '../../../sdk/src/client.ts';
import type { EventStore } from '../../src/event-store.ts';
import type { StoredEvent } from '../../src/event.ts';
import { Access } from '../../src/http/access.ts';
import { openapi } from '../../src/http/openapi.ts';
import { problem } from '../../src/http/problem.ts';
import { tockRoutes } from '../../src/http/tock.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';
import { allStatistics, BUILT_IN } from '../../src/tock/statistics.ts';
import { batchOf, eventAt } from '../store/journal-lines.ts';

type Schema = z.core.JSONSchema.JSONSchema;

interface Call {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly $ref: string }[];
  readonly responses: Readonly<
    Record<string, { description: string; content?: Record<string, { schema: Schema }> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, { readonly get: Call }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly parameters: Readonly<
      Record<string, { name: string; in: string; required?: boolean; schema: Schema }>
    >;
  };
}

const statistics = allStatistics({
  departments: {
    measures: { revenue: { kind: 'sum', field: 'price' }, last: { kind: 'max', field: 'time' } },
    dimensions: { department: { kind: 'field', field: 'department', missing: 'none' } },
  },
  'by-hour': {
    measures: { half: { kind: 'percentile', field: 'price', at: 50 } },
    dimensions: { at: { kind: 'time', interval: 'hour' } },
  },
  revenue: { measures: { sum: { kind: 'sum', field: 'price' }, n: { kind: 'count' } } },
  taken: {
    kind: 'funnel',
    steps: [
      { name: 'viewed', filter: { kind: 'equals', field: 'event', value: 'view' } },
      { name: 'taken', filter: { kind: 'equals', field: 'event', value: 'download' } },
    ],
  },
  back: { kind: 'retention', interval: 'week' },
});
const document = JSON.parse(JSON.stringify(openapi(statistics, false))) as Document;
const { schemas, parameters } = document.components;

/** A schema of the document as a check; its references lead within the document. */
function accepting(schema: Schema): z.ZodType {
  const used = Object.entries(schemas).filter(([id]) =>
    JSON.stringify(schema).includes(`"#/components/schemas/${id}"`),
  );
  const text = JSON.stringify({ ...schema, $defs: Object.fromEntries(used) });
  return z.fromJSONSchema(
    JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Schema,
  );
}

function contentOf(path: string, status: string, type: string): Schema {
  const schema = document.paths[path]?.get.responses[status]?.content?.[type]?.schema;
  if (schema === undefined) throw new Error(`${path} has no ${type} with ${status}`);
  return schema;
}

describe('the structure of OpenAPI 3.1', () => {
  const calls = Object.entries(document.paths);

  it('is kept by the document', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/u);
    expect(document.info).toMatchObject({
      title: expect.any(String) as string,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/u) as string,
    });
    for (const names of Object.values(document.components).map((part) => Object.keys(part))) {
      for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9._-]+$/u);
    }
    const ids = calls.map(([, { get }]) => get.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has every reference lead somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/gu)];
    expect(references.length).toBeGreaterThan(calls.length);
    for (const [, path = ''] of references) {
      const found = path
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
      expect(found, path).toBeInstanceOf(Object);
    }
  });

  it.each(calls)('is kept by %s', (path, { get: call }) => {
    expect(path).toMatch(/^\//u);
    const taken = call.parameters.map(({ $ref }) => parameters[$ref.split('/').at(-1) ?? '']);
    const inPath = taken.flatMap((one) => (one?.in === 'path' && one.required ? [one.name] : []));
    expect(inPath.toSorted()).toEqual(
      [...path.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name).toSorted(),
    );
    expect(new Set(taken.map((one) => `${one?.in} ${one?.name}`)).size).toBe(taken.length);
    for (const one of taken) expect(one?.schema).toBeInstanceOf(Object);
    for (const [status, { description, content = {} }] of Object.entries(call.responses)) {
      expect(status).toMatch(/^[1-5]\d\d$/u);
      expect(description).not.toBe('');
      for (const { schema } of Object.values(content)) accepting(schema);
    }
    expect(Object.keys(call.responses['200']?.content ?? {})).toEqual([
      'application/json',
      'text/csv',
      'application/x-ndjson',
    ]);
  });
});

describe('the shapes of answers', () => {
  it.each(Object.entries(samples()))('are those of the client: %s', (name, sample) => {
    const schema = accepting(schemas[name] ?? {});
    expect(schema.parse(sample)).toEqual(sample);
    const first = Object.keys(sample)[0] ?? '';
    for (const other of [null, 5, 'text', { ...sample, [first]: 'wrong' }, { other: 'x' }]) {
      expect(schema.safeParse(other).success).toBe(false);
    }
  });

  it('are those of the examples in statistics.md', async () => {
    const page = new URL('../../../../docs/statistics.md', import.meta.url);
    const text = await readFile(page, 'utf8');
    for (const name of ['tock', ...Object.keys(BUILT_IN), 'items']) {
      const [, section = ''] = text.split(`\n### ${name}\n`);
      const [, example = ''] = /```json\n([^]*?)```/u.exec(section) ?? [];
      accepting(schemas[name] ?? {}).parse(JSON.parse(example));
    }
  });
});

const now = Date.UTC(2026, 10, 23, 12);
const noon = new Date(now).toISOString();
let dataDir = '';
let store: EventStore;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-openapi-'));
  store = openDuckdbStore({ dataDir });
  const use = (item: string, visitor: string, fields: Partial<StoredEvent> = {}): StoredEvent =>
    eventAt(noon, 'default', { item, 'user.id': visitor, referer: 'a.example', ...fields });
  const priced = { labels: { department: 'parks', price: '5' }, metrics: { price: 5 } };
  const events = [
    ...['v1', 'v2', 'v3'].flatMap((name) => [use('trees', name, priced), use('roads', name)]),
    ...['v4', 'v5'].map((name) => use('parks', name, { labels: { utm_source: 'letter' } })),
    use('trees', 'v1', { 'event.action': 'download', 'file.extension': 'kml' }),
    use('trees', 'v1', { 'event.action': 'engagement', 'page.id': 'p', duration: 1200 }),
    use('trees', 'v1', {
      'event.action': 'vital',
      'browser.web_vital.name': 'LCP',
      'browser.web_vital.value': 1234.5,
    }),
    use('trees', 'v1', {
      'event.action': 'error',
      'error.grouping_key': 'f',
      message: 'x is undefined',
      'log.origin.file.line': 3,
    }),
  ];
  await store.append(batchOf('journal', 1, events), () => Promise.resolve());
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('real answers', () => {
  const get = async (path: string): Promise<Response> =>
    tockRoutes({
      store,
      statistics,
      access: new Access({ writeKeys: [], origins: [], readTokens: [] }),
      timeZone: 'UTC',
      answerRules: { sites: [], queryEventsMax: 0, retentionDays: 0 },
      now: () => now,
    })
      .onError((error, context) => problem(context, error))
      .request(path);

  it.each(Object.keys(document.paths))('of %s are as it says', async (path) => {
    const scopes = path.includes('{item}') ? [''] : ['', '?prefix=t', '?item=trees&item=never'];
    for (const scope of path.startsWith('/items') ? scopes.slice(0, 2) : scopes) {
      const url = (format: string): string =>
        path.replace('{item}', 'trees').replace('{format}', format) + scope;
      const response = await get(url('json'));
      const body: unknown = await response.json();
      const type = response.headers.get('content-type')?.split(';')[0] ?? '';
      accepting(contentOf(path, String(response.status), type)).parse(body);
      if (!response.ok) {
        expect([path, scope]).toEqual(['/query/recommendations.{format}', '']);
        continue;
      }
      const { 'x-line': shape } = contentOf(path, '200', 'application/x-ndjson');
      const line = accepting(shape as Schema);
      const lines = (await (await get(url('ndjson'))).text()).split('\n').slice(0, -1);
      for (const one of lines) {
        const { id, ...rest } = JSON.parse(one) as { id?: string };
        expect(id !== undefined).toBe(scope.includes('item='));
        line.parse(rest);
      }
      expect((await get(url('csv'))).headers.get('content-type')).toContain('text/csv');
    }
  });

  it('of a refusal are as it says', async () => {
    const refusal = await get('/tock/trees.json?form=1');
    const shape = contentOf('/tock/{item}.{format}', '400', 'application/problem+json');
    expect(accepting(shape).parse(await refusal.json())).toMatchObject({ status: 400 });
  });
});

/** An answer of every kind as the types of the client have it, with all that may be left out. */
function samples(): ClientStatistics {
  const counts = { a: 1, b: 0 };
  const rated = { good: 1, needsImprovement: 0, poor: 0 };
  const spread = { views: 1, median: 1.5, p75: null, p95: 2 };
  const errors = { count: 1, events: 1, visitors: 0 };
  const sample = { visitors: 1, of: 2 };
  const at = '2026-11-23T12:00:00.000Z';
  return {
    tock: { views: counts, downloads: counts, referers: counts },
    visitors: { total: 1, daily: 0, unknown: 2, visitors: counts },
    time: { engagedMs: { ...spread, sample: { views: 1, of: 2 } }, loadMs: spread },
    vitals: { LCP: { count: 1, p75: 0.5, ...rated, shares: rated } },
    errors: {
      ...errors,
      groups: [
        { fingerprint: 'f', ...errors, first: at, last: at, noise: true, sample: { line: 1 } },
        { fingerprint: 'g', ...errors, first: at, last: at, sample: null },
      ],
    },
    flow: {
      visits: 1,
      entries: 1,
      exits: 1,
      referers: counts,
      before: [{ item: 'a', visits: 1, entries: 1, before: counts }],
      after: [{ item: 'a', visits: 1, exits: 1, after: counts }],
      sample,
    },
    recommendations: { visitors: 1, items: [{ item: 'a', visitors: 1, score: 0.5 }], sample },
    campaigns: {
      campaigns: [{ source: 'a', medium: '', campaign: '', views: 1, downloads: 0, visitors: 1 }],
      terms: counts,
      contents: counts,
    },
    devices: { browsers: counts, systems: counts, devices: counts, languages: counts },
    live: { visitors: 1, views: counts, items: counts, referers: counts },
    retention: [{ start: '2026-11-23', visitors: 1, returned: [1, 0] }],
  };
}

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startElasticsearch, type Elasticsearch } from '../../../../../e2e/parts/elasticsearch.ts';
import { always } from '../conformance/with-store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import type { ElasticsearchOptions } from '../../../src/store/elasticsearch/connection.ts';
import { ElasticsearchStore } from '../../../src/store/elasticsearch/store.ts';

type Run<T> = (store: ElasticsearchStore) => Promise<T>;

async function withStore<T>(options: ElasticsearchOptions, run: Run<T>): Promise<T> {
  const store = new ElasticsearchStore({ replicas: 0, ...options });
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}

const refusal = async (options: ElasticsearchOptions): Promise<unknown> =>
  withStore(options, (store) => store.check()).catch((error: unknown) => error);

describe('a cluster with users and a certificate of its own', () => {
  let server: Elasticsearch;
  let access: ElasticsearchOptions & { readonly password: string };
  beforeAll(async () => {
    server = await startElasticsearch({ tls: true });
    const { url, user = '', password = '', caPath = '' } = server;
    access = { nodes: [url], user, password, ca: await readFile(caPath, 'utf8') };
  });
  afterAll(() => server.stop());

  it('takes and answers with user, password and CA', async () => {
    await withStore(access, async (store) => {
      await store.check();
      const batch = batchOf('journal', 1, [eventAt('2026-11-23T12:00:00.000Z', 'app')]);
      expect(await store.append(batch, async () => {})).toMatchObject({ stored: 1 });
      await store.refresh();
      const query = { measures: { n: { kind: 'count' } }, range: always } as const;
      expect(await store.query(query)).toEqual([{ n: 1 }]);
    });
  });

  it('takes user and password out of the URL too', async () => {
    const { user = '', password, ca = '' } = access;
    const url = server.url.replace('//', `//${user}:${password}@`);
    await withStore({ nodes: [url], ca }, (store) => store.check());
  });

  it('says that the password is wrong, and never what it is', async () => {
    const error = await refusal({ ...access, password: 'not-this-one' });
    expect(error).toMatchObject({
      code: 'unavailable',
      message: 'Elasticsearch refuses the user, password or API key',
    });
    expect(inspect(error, { depth: 20 })).not.toContain('not-this-one');
  });

  it('trusts no other certificate', async () => {
    const { ca: _, ...untrusting } = access;
    expect(await refusal(untrusting)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('certificate') as string,
    });
  });
});

it('sends an API key, which takes precedence', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(503).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const nodes = [`http://127.0.0.1:${port}`];
  expect(await refusal({ nodes, apiKey: 'a2V5', user: 'u', password: 'p' })).toMatchObject({
    code: 'unavailable',
  });
  expect(new Set(seen)).toEqual(new Set(['ApiKey a2V5']));
  server.close();
});

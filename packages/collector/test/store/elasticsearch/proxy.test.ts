import { STATUS_CODES } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Reject } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import { ask, errorType } from '../../../src/store/elasticsearch/connection.ts';
import type { ElasticsearchStore } from '../../../src/store/elasticsearch/store.ts';
import { always } from '../conformance/with-store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import { createProxy, type Proxy } from './proxy.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const noon = '2026-11-23T12:00:00.000Z';

let cluster: TestCluster;
let proxy: Proxy;
let store: ElasticsearchStore;
beforeEach(async () => {
  cluster = await testCluster();
  proxy = await createProxy(cluster.url);
  store = cluster.open({ nodes: [proxy.url] });
});
afterEach(async () => {
  await cluster.clean();
  await proxy.close();
});

const events = (n: number, keys: object = {}): StoredEvent[] =>
  Array.from({ length: n }, (_, index) =>
    eventAt(noon, 'app', { 'event.id': `e${index}`, ...keys }),
  );

const noRejects = async (rejects: readonly Reject[]): Promise<void> => {
  expect(rejects).toEqual([]);
};

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

const json = { type: 'application/json', text: '{"error":{"message":"no route"},"code":1}' };

it('waits while a proxy answers for Elasticsearch', async () => {
  const batch = batchOf('journal', 1, events(3));
  const statuses = [301, 400, 401, 403, 404, 405, 407, 408, 410, 422, 502];
  for (const answer of statuses.flatMap((status) => [{ status }, { status, ...json }])) {
    const { status } = answer;
    proxy.answer(({ path }) => (path.startsWith('/_bulk') ? answer : undefined));
    expect(await refusal(store.append(batch, noRejects))).toMatchObject({
      code: 'unavailable',
      message: `Elasticsearch did not answer: a proxy before it did (${status} ${STATUS_CODES[status]})`,
    });
  }
  expect(await store.cursor('journal')).toBe(1);
  proxy.answer(() => undefined);
  expect(await store.append(batch, noRejects)).toMatchObject({ stored: 3 });
});

it('sends less at once where a proxy takes no more, and waits for it with one event', async () => {
  let bytesMax = 10_000;
  const sizes: number[] = [];
  proxy.answer(({ path, bytes }) => {
    if (!path.startsWith('/_bulk')) return undefined;
    sizes.push(bytes);
    return bytes > bytesMax ? { status: 413 } : undefined;
  });
  expect(await store.append(batchOf('journal', 1, events(200)), noRejects)).toMatchObject({
    stored: 200,
  });
  expect(sizes[0]).toBeGreaterThan(bytesMax);
  expect(Math.max(...sizes.slice(-2))).toBeLessThan(bytesMax);

  const large = batchOf('journal', 201, [
    ...events(2),
    eventAt(noon, 'app', { message: 'x'.repeat(bytesMax) }),
  ]);
  expect(await refusal(store.append(large, noRejects))).toMatchObject({
    code: 'unavailable',
    message: 'Elasticsearch or a proxy before it takes no request of this size (413)',
  });
  expect(await store.cursor('journal')).toBe(201);
  bytesMax *= 2;
  expect(await store.append(large, noRejects)).toMatchObject({ stored: 1, duplicates: 2 });
});

it('takes no 404 of a proxy for Elasticsearch’s that something is not there', async () => {
  await store.append(batchOf('journal', 1, events(3)), noRejects);
  proxy.answer(({ method }) => (method === 'DELETE' ? { status: 404 } : undefined));
  const unavailable = { code: 'unavailable', message: expect.stringContaining('404') as string };
  await expect(store.expire('2026-11-24')).rejects.toMatchObject(unavailable);
  proxy.answer(({ path }) => (path.includes('/_doc/') ? { status: 404 } : undefined));
  const query = { measures: { n: { kind: 'count' } }, range: always } as const;
  await expect(store.countsFrom(query)).rejects.toMatchObject(unavailable);
  proxy.answer(({ path }) => (path.includes('/_cluster') ? { status: 408 } : undefined));
  await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });

  proxy.answer(() => undefined);
  expect(await store.expire('2026-11-24')).toBe(3);
  expect(await store.tallies('journal')).toMatchObject([{ stored: 3, expired: 3 }]);
  expect(await cluster.client.indices.exists({ index: `${cluster.prefix}-2026.11.23` })).toBe(
    false,
  );
});

it('knows Elasticsearch’s own answers', async () => {
  const { transport } = cluster.client;
  const refused = (method: string, path: string, body = '{}\n'): Promise<unknown> =>
    refusal(ask(() => transport.request({ method, path, bulkBody: body })));
  const unended = await refused('POST', '/_bulk', '{}');
  expect(unended).toMatchObject({ code: 'bad-request' });
  expect(errorType(unended)).toBe('illegal_argument_exception');
  const missing = await refusal(ask(() => cluster.client.search({ index: cluster.prefix })));
  expect(missing).toMatchObject({ code: 'unavailable' });
  expect(errorType(missing)).toBe('index_not_found_exception');
  expect(await refused('PATCH', '/_bulk')).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('refuses for now (405)') as string,
  });
});

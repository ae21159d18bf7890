import { readFile } from 'node:fs/promises';
import https from 'node:https';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Elasticsearch, startElasticsearch } from './elasticsearch.ts';
import { sharedElasticsearch } from './shared-elasticsearch.ts';

test('one Elasticsearch is shared by the test files', async () => {
  const url = await sharedElasticsearch();
  expect(await sharedElasticsearch()).toBe(url);
  const response = await fetch(`${url}/_cluster/health`);
  expect(await response.json()).toMatchObject({ timed_out: false });
});

describe('a cluster of three nodes', () => {
  let cluster: Elasticsearch;
  beforeAll(async () => {
    cluster = await startElasticsearch({ nodes: 3 });
  });
  afterAll(() => cluster.stop());

  test('keeps its documents while a node is killed, and takes it back', async () => {
    const [first, second] = cluster.nodes;
    const index = `${first?.url}/survivors`;
    await put(index, { settings: { number_of_shards: 1, number_of_replicas: 2 } });
    await put(`${index}/_doc/1?wait_for_active_shards=all`, { kept: true });

    await first?.kill();
    await expect(fetch(index)).rejects.toThrow();
    const health = `${second?.url}/_cluster/health`;
    await fetch(`${health}?wait_for_nodes=2&timeout=60s`);
    const fromSecond = await fetch(`${second?.url}/survivors/_doc/1?preference=_local`);
    expect(await fromSecond.json()).toMatchObject({ _source: { kept: true } });

    await first?.start();
    const whole = await fetch(`${health}?wait_for_nodes=3&wait_for_status=green&timeout=60s`);
    expect(await whole.json()).toMatchObject({ status: 'green', number_of_nodes: 3 });
  });
});

describe('with TLS', () => {
  let secured: Elasticsearch;
  beforeAll(async () => {
    secured = await startElasticsearch({ tls: true });
  });
  afterAll(() => secured.stop());

  test('only its own authority and its superuser are accepted', async () => {
    const { url, user, password, caPath } = secured;
    const health = `${url}/_cluster/health`;
    const ca = await readFile(String(caPath));

    await expect(statusOf(health, {})).rejects.toThrow('self-signed certificate');
    expect(await statusOf(health, { ca })).toBe(401);
    expect(await statusOf(health, { ca, auth: `${user}:${password}` })).toBe(200);
  });
});

async function put(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
  expect(response.ok, await response.text()).toBe(true);
}

function statusOf(url: string, options: https.RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ...options, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
  });
}

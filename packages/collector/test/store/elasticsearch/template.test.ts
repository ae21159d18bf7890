import { afterAll, beforeAll, expect, it } from 'vitest';
import { batchOf, eventAt } from '../journal-lines.ts';
import { always, ofApp } from '../conformance/with-store.ts';
import { NUMERIC_KEYS_MAX, TEMPLATE_VERSION } from '../../../src/store/elasticsearch/template.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const noon = '2026-11-23T12:00:00.000Z';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster();
});
afterAll(() => cluster.clean());

it('puts a versioned template for the daily indices', async () => {
  const store = cluster.open({ shards: 3, refreshInterval: '5s' });
  await store.check();
  const { index_templates: found } = await cluster.client.indices.getIndexTemplate({
    name: cluster.prefix,
  });
  expect(found[0]?.index_template).toMatchObject({
    version: TEMPLATE_VERSION,
    index_patterns: [`${cluster.prefix}-*`],
  });

  await store.append(batchOf('journal', 1, [eventAt(noon, 'app')]), async () => {});
  const index = `${cluster.prefix}-2026.11.23`;
  const settings = await cluster.client.indices.getSettings({ index });
  expect(settings[index]?.settings?.index).toMatchObject({
    number_of_shards: '3',
    number_of_replicas: '0',
    refresh_interval: '5s',
  });
});

it('keeps the line of the journal as the document, byte for byte', async () => {
  const store = cluster.open();
  const line = `{"journal.collector":"raw","journal.segment":1,"journal.sequence":1,"@timestamp":"${noon}", "@version":"1","event.ingested":"${noon}","event.action":"view","service.name":"raw","labels":{"b":"\\u00e9é","a":"1.50"}}`;
  const lines = Buffer.from(`${line}\n`);
  await store.append({ collector: 'raw', segment: 1, first: 1, last: 1, lines }, async () => {});
  await store.refresh();
  const found = await fetch(`${cluster.url}/${cluster.prefix}-*/_search?q=service.name:raw`);
  expect(await found.text()).toContain(`"_source":${line}`);
});

it('leaves a template of a newer version alone', async () => {
  const name = cluster.prefix;
  const index_patterns = [`${name}-*`];
  await cluster.client.indices.putIndexTemplate({
    name,
    index_patterns,
    priority: 500,
    version: 99,
  });
  await cluster.open().check();
  const found = await cluster.client.indices.getIndexTemplate({ name });
  expect(found.index_templates[0]?.index_template.version).toBe(99);
});

it('maps the first numeric keys and the declared ones, and refuses to guess at the others', async () => {
  const own = await testCluster();
  const store = own.open({ numericKeys: ['declared.late', 'declared'] });
  const keys = Array.from({ length: 2_000 }, (_, key) => `key-${key}`);
  const events = keys.map((key, index) =>
    eventAt(noon, 'app', { labels: { [key]: `${index}` }, metrics: { [key]: index } }),
  );
  const last = { declared: 5, 'declared.late': 7 };
  events.push(eventAt(noon, 'app', { metrics: last }), eventAt(noon, 'other'));
  const outcome = await store.append(batchOf('journal', 1, events), async () => {});
  expect(outcome).toMatchObject({ stored: 2_002, rejected: 0 });
  await store.refresh();

  const sum = (field: string, app = 'app') =>
    store.query({ measures: { n: { kind: 'sum', field } }, filter: ofApp(app), range: always });
  expect(await sum('declared')).toEqual([{ n: 5 }]);
  expect(await sum('declared.late')).toEqual([{ n: 7 }]);
  expect(await sum('never seen')).toEqual([{ n: 0 }]);

  const answers = await Promise.allSettled(keys.map((key) => sum(key)));
  const mapped = answers.filter(({ status }) => status === 'fulfilled');
  expect(mapped).toHaveLength(NUMERIC_KEYS_MAX);
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') expect(answer.value).toEqual([{ n: index }]);
    else expect(answer.reason).toMatchObject({ code: 'bad-request' });
  }
  const unmapped = keys[answers.findIndex(({ status }) => status === 'rejected')] ?? '';
  await expect(sum(unmapped)).rejects.toThrow(`\`${unmapped}\` is not kept as a number`);
  expect(await sum(unmapped, 'other')).toEqual([{ n: 0 }]);
  const range = { kind: 'range', field: unmapped, gte: 0 } as const;
  const counted = { measures: { n: { kind: 'count', where: range } }, range: always } as const;
  await expect(store.query(counted)).rejects.toMatchObject({ code: 'bad-request' });
  const text = { kind: 'exists', field: unmapped } as const;
  expect(
    await store.query({ measures: { n: { kind: 'count' } }, filter: text, range: always }),
  ).toEqual([{ n: 1 }]);
  await own.clean();
});

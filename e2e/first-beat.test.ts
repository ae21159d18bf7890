import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, type Browser } from './parts/browsers.ts';
import { sharedElasticsearch } from './parts/shared-elasticsearch.ts';
import { type CollectorProcess, runMetronome, startCollector } from './collector-process.ts';
import { eventually } from './eventually.ts';

const EXAMPLE = ['--example', 'examples/script-tag'];
const today = (): string => new Date().toISOString().slice(0, 10);

const STORES = {
  duckdb: async () => ({}),
  elasticsearch: async () => ({
    METRONOME_STORE: 'elasticsearch',
    METRONOME_ELASTICSEARCH_URL: await sharedElasticsearch(),
    METRONOME_ELASTICSEARCH_PREFIX: `beat-${randomUUID()}`,
    METRONOME_ELASTICSEARCH_REPLICAS: '0',
  }),
} satisfies Record<string, () => Promise<Record<string, string>>>;

let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser('chromium');
});

async function tock(collector: CollectorProcess, path: string): Promise<unknown> {
  const response = await fetch(`${collector.url}${path}`);
  expect(response.status).toBe(200);
  return response.json();
}

async function post(collector: CollectorProcess, events: unknown): Promise<unknown> {
  const response = await fetch(`${collector.url}/tick`, {
    method: 'POST',
    body: JSON.stringify(events),
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(202);
  return response.json();
}

describe.each(Object.entries(STORES))('on %s', (_, settings) => {
  let env: Record<string, string>;
  let collector: CollectorProcess;

  beforeAll(async () => {
    env = await settings();
    collector = await startCollector({ env, args: EXAMPLE });
  });

  afterAll(async () => {
    await collector.stop();
  });

  test('a visit of the example shows in the tocks of its items, and nothing else does', async () => {
    const page = await browser.newPage();
    await page.goto(`${collector.url}/example/`);
    await page.click('a[href="trees.html"]');
    await eventually(async () =>
      expect(await page.evaluate('document.title')).toBe('Street trees'),
    );
    await page.click('a[href="files/trees.kml"]');
    await page.evaluate('setTimeout(() => { throw new TypeError("no such tree"); })');
    await eventually(async () =>
      expect(await tock(collector, '/tock/trees.json')).toEqual({
        views: { [today()]: 1 },
        downloads: { kml: 1 },
        referers: {},
      }),
    );
    await page.closeTab();
    await eventually(async () =>
      expect(await tock(collector, '/tock.json')).toEqual({
        views: { [today()]: 2 },
        downloads: { kml: 1 },
        referers: {},
      }),
    );
  });

  test('the same events posted twice count once', async () => {
    const events = [
      { id: randomUUID(), time: Date.now(), item: 'twice', referrer: 'https://www.arcgis.com/' },
      { id: randomUUID(), time: Date.now(), item: 'twice', event: 'download', format: 'CSV' },
    ];
    const answer = { accepted: 2, rejected: [] };
    expect(await post(collector, events)).toEqual(answer);
    expect(await post(collector, events)).toEqual(answer);
    await post(collector, { item: 'after-twice' });
    await eventually(async () =>
      expect(await tock(collector, '/tock/after-twice.json')).toHaveProperty(['views', today()], 1),
    );
    expect(await tock(collector, '/tock/twice.json')).toEqual({
      views: { [today()]: 1 },
      downloads: { csv: 1 },
      referers: { 'arcgis.com': 1 },
    });
  });

  test('kill -9 right after a 202 loses nothing', async () => {
    const events = Array.from({ length: 300 }, () => ({ item: 'survivor', id: randomUUID() }));
    await post(collector, events);
    await collector.kill();
    collector = await startCollector({ env, args: EXAMPLE, dataDir: collector.dataDir });
    await eventually(async () =>
      expect(await tock(collector, '/tock/survivor.json')).toHaveProperty(['views', today()], 300),
    );
  });

  test('metronome tock answers beside the running collector, and when none runs', async () => {
    await post(collector, { item: 'a/b.csv' });
    await eventually(async () =>
      expect(await tock(collector, '/tock/a%2Fb.csv.json')).toHaveProperty(['views', today()], 1),
    );
    const expected = { views: { [today()]: 1 }, downloads: {}, referers: {} };
    const own = { ...env, METRONOME_DATA_DIR: collector.dataDir };
    const beside = await runMetronome(['tock', 'a/b.csv'], own);
    expect(beside.stderr).toBe('');
    expect(JSON.parse(beside.stdout)).toEqual(expected);
    expect(await collector.stop()).toBe(0);
    const alone = await runMetronome(['tock', 'a/b.csv'], own);
    expect(alone).toMatchObject({ code: 0, stderr: '', stdout: beside.stdout });
    collector = await startCollector({ env, args: EXAMPLE, dataDir: collector.dataDir });
  });

  test('an item never seen is three empty objects', async () => {
    expect(await tock(collector, '/tock/never-seen.json')).toEqual({
      views: {},
      downloads: {},
      referers: {},
    });
  });
});

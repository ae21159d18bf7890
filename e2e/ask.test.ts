import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AnswerError,
  type Client,
  createClient,
  type Statistics,
} from '../packages/sdk/src/client.ts';
import { type CollectorProcess, runMetronome, startCollector } from './collector-process.ts';
import { eventually } from './eventually.ts';
import { openBrowser } from './parts/browsers.ts';
import type { Page } from './parts/browser.ts';

const today = (): string => new Date().toISOString().slice(0, 10);
const folder = mkdtempSync(join(tmpdir(), 'metronome-ask-'));
const configFile = join(folder, 'metronome.config.json');
const config = {
  queries: {
    departments: {
      measures: { revenue: { kind: 'sum', field: 'price' } },
      dimensions: { department: { kind: 'field', field: 'department' } },
    },
  },
};
const TOKEN = 'let-me-read-it';

let collector: CollectorProcess;
let client: Client<Statistics & { departments: Readonly<Record<string, number>> }>;

beforeAll(async () => {
  writeFileSync(configFile, JSON.stringify(config));
  collector = await startCollector({
    env: { METRONOME_CONFIG: configFile, METRONOME_READ_TOKENS: TOKEN },
  });
  const response = await fetch(`${collector.url}/tick`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([
      { item: 'trees', visitor: 'v1', department: 'parks', price: 5 },
      { item: 'trees', visitor: 'v2', department: 'roads', price: 2 },
      { item: '7', visitor: 'v1' },
      { item: '10', visitor: 'v1', event: 'error', message: 'x is undefined' },
      { item: '10', visitor: 'v1' },
      { item: '10', visitor: 'v1' },
    ]),
  });
  expect(response.status).toBe(202);
  client = createClient({ endpoint: collector.url, token: TOKEN });
  await eventually(async () => expect(await client.ofSite('live')).toMatchObject({ visitors: 2 }));
});

afterAll(async () => {
  await collector.stop();
  rmSync(folder, { recursive: true });
});

describe('the client', () => {
  test('reads the statistics of an item, of several, of the site', async () => {
    expect(await client.of('trees', 'tock')).toEqual({
      views: { [today()]: 2 },
      downloads: {},
      referers: {},
    });
    const { total } = await client.ofSite('visitors', { prefix: 't' });
    expect(total).toBe(2);
    const { views } = await client.ofSite('tock', { tz: 'UTC', interval: 'month' });
    expect(views).toEqual({ [today().slice(0, 7)]: 5 });
    expect(await client.ofEach(['trees', '7'], 'departments')).toEqual({
      trees: { parks: 5, roads: 2 },
      7: {},
    });
    expect(await client.ofEach([], 'visitors')).toEqual({});
    const { groups } = await client.of('10', 'errors');
    expect(groups[0]?.sample?.message).toBe('x is undefined');
  });

  test('knows the built-in statistics, all of them', async () => {
    const known: readonly (keyof Statistics)[] = [
      'tock',
      'visitors',
      'time',
      'vitals',
      'errors',
      'flow',
      'recommendations',
      'campaigns',
      'devices',
      'live',
      'retention',
    ];
    for (const name of known) expect(await client.of('trees', name)).toBeInstanceOf(Object);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`${collector.url}/openapi.json`, { headers });
    const { paths } = (await response.json()) as { paths: object };
    const named = Object.keys(paths).flatMap((path) => /^\/query\/(.+)\./u.exec(path)?.[1] ?? []);
    expect(new Set(['tock', ...named])).toEqual(new Set([...known, 'departments']));
  });

  test('keeps the order of ids that look like integers', async () => {
    expect(await client.items({ limit: 3 })).toEqual([
      { item: '10', value: 2 },
      { item: 'trees', value: 2 },
      { item: '7', value: 1 },
    ]);
    expect(await client.items({ by: 'errors' })).toEqual([{ item: '10', value: 1 }]);
  });

  test('is refused with the sentence of the collector', async () => {
    const refused = client.of('trees', 'tock', { from: 'yesterday' });
    await expect(refused).rejects.toBeInstanceOf(AnswerError);
    await expect(refused).rejects.toMatchObject({
      status: 400,
      message: 'from must be a date such as 2026-11-23',
    });
    const stranger = createClient({ endpoint: `${collector.url}/` });
    await expect(stranger.ofSite('tock')).rejects.toMatchObject({ status: 401 });
    const aborted = client.ofSite('tock', { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('metronome explain', () => {
  const explain = (...args: readonly string[]) =>
    runMetronome(['explain', ...args], {
      METRONOME_DATA_DIR: collector.dataDir,
      METRONOME_CONFIG: configFile,
    });

  test('prints the SQL of a query and its cost, beside the running collector', async () => {
    const { code, stdout, stderr } = await explain('departments', '--item', 'trees');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^-- 1 of 1: at most 2 events read, 2 rows, [\d.]+ ms\nSELECT /u);
    expect(stdout).toContain(`"item" = 'trees'`);
    const prefixed = await explain('departments', '--prefix', 'x', '--tz', 'Europe/Berlin');
    expect(prefixed.stdout).toMatch(/^-- 1 of 1: at most 0 events read, 0 rows/u);
  });

  test('says what it does not know', async () => {
    expect(await explain('departmens')).toMatchObject({
      code: 1,
      stderr: 'metronome: There is no query "departmens": did you mean departments?\n',
    });
    expect(await explain()).toMatchObject({ code: 2 });
  });
});

test('metronome rollups shows how far they are', async () => {
  const env = { METRONOME_DATA_DIR: collector.dataDir, METRONOME_CONFIG: configFile };
  const { code, stdout } = await runMetronome(['rollups', '--wait'], env);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ', 1)[0])).toEqual(['tock', 'errors', 'uses']);
  for (const line of lines) {
    expect(line).toMatch(/^\w+ +\[#{20}\] +up to date +\d+ of \d+ events$/u);
  }
  expect(code).toBe(0);
  const asked = await runMetronome(['rollups', '--json'], env);
  expect(JSON.parse(asked.stdout)).toMatchObject(
    ['tock', 'errors', 'uses'].map((name) => ({ name, isUpToDate: true })),
  );
});

test('metronome rollups has one rebuilt by the running collector', async () => {
  const env = { METRONOME_DATA_DIR: collector.dataDir, METRONOME_CONFIG: configFile };
  const { code, stdout } = await runMetronome(['rollups', '--rebuild', 'uses'], env);
  expect(stdout).toMatch(/^uses is counted anew by the collector while it runs; /u);
  expect(code).toBe(0);
  expect(await runMetronome(['rollups', '--rebuild', 'erors'], env)).toMatchObject({
    code: 1,
    stderr: 'metronome: There is no rollup "erors"; did you mean errors?\n',
  });
});

describe('the page /ask', () => {
  let page: Page;

  beforeAll(async () => {
    const browser = await openBrowser('chromium');
    page = await browser.newPage();
    await page.goto(`${collector.url}/ask`);
    await eventually(async () =>
      expect(await page.evaluate('document.activeElement.id')).toBe('token'),
    );
    await page.evaluate('document.activeElement.value = "let-me-read-it"');
    await page.press('Enter');
    await eventually(async () =>
      expect(await page.evaluate('document.querySelectorAll("option").length')).toBeGreaterThan(20),
    );
  });
  afterAll(() => page.dispose());

  const shown = (id: string) => page.evaluate(`document.querySelector('#${id}').textContent`);

  test('has a label for each control', async () => {
    const without = await page.evaluate(
      '[...document.querySelectorAll("input, select, textarea")].filter((one) => one.labels.length === 0).length',
    );
    expect(without).toBe(0);
  });

  test('asks what is filled in, by the Enter key', async () => {
    await page.evaluate(() => {
      const set = (selector: string, value: string): void => {
        const control = document.querySelector<HTMLInputElement>(selector);
        if (control === null) throw new Error(`no ${selector}`);
        control.value = value;
        control.dispatchEvent(new Event('change', { bubbles: true }));
        control.focus();
      };
      set('#call', '/tock/{item}/departments.{format}');
      set('#field-tz', 'Europe/Berlin');
      set('#field-item', 'trees');
    });
    await page.press('Enter');
    await eventually(async () => expect(await shown('state')).toMatch(/^200 OK, \d+ ms$/u));
    expect(await shown('link')).toBe('/tock/trees/departments.json?tz=Europe%2FBerlin');
    expect(await shown('text')).toBe('{\n  "parks": 5,\n  "roads": 2\n}');
  });

  test('shows a refusal as it is', async () => {
    await page.evaluate(() => {
      const zone = document.querySelector<HTMLInputElement>('#field-tz');
      if (zone) zone.value = 'Mars';
      zone?.focus();
    });
    await page.press('Enter');
    await eventually(async () => expect(await shown('state')).toMatch(/^400 Bad Request/u));
    expect(await shown('text')).toContain('tz must be an IANA time zone');
  });
});

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
    expect(line).toMatch(
      /^\w+ +\[#{20}\] +up to date +\d+ events(?:, \d+ of them read as they are)?$/u,
    );
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

/** Where a click could miss what is still scrolling. */
async function pressOn(page: Page, selector: string): Promise<void> {
  await page.evaluate(`document.querySelector('${selector}').focus()`);
  await page.press('Enter');
}

describe('the page /ask', () => {
  let page: Page;

  beforeAll(async () => {
    const browser = await openBrowser('chromium');
    page = await browser.newPage();
  });
  afterAll(() => page.dispose());

  /** Opens the page as a visitor does who gives these tokens one after the other. */
  async function open(query: string, ...tokens: readonly string[]): Promise<void> {
    await page.goto(`${collector.url}/ask${query}`);
    await eventually(async () => expect(await focused()).toBe('token'));
    for (const token of tokens) {
      await page.evaluate((value) => {
        const field = document.querySelector<HTMLInputElement>('#token');
        if (field) field.value = value;
      }, token);
      await page.press('Enter');
      if (token !== TOKEN)
        await eventually(async () => expect(await shown('why')).toMatch(/^This is none/u));
    }
    if (!tokens.includes(TOKEN)) return;
    await eventually(async () =>
      expect(await page.evaluate('document.querySelectorAll("option").length')).toBeGreaterThan(20),
    );
  }

  async function fill(values: Readonly<Record<string, string>>): Promise<void> {
    await page.evaluate((given) => {
      for (const [id, value] of Object.entries(given)) {
        const control = document.querySelector<HTMLInputElement>(`#${id}`);
        if (control === null) throw new Error(`no #${id}`);
        control.focus();
        control.value = value;
        control.dispatchEvent(new Event('input', { bubbles: true }));
        control.dispatchEvent(new Event('change', { bubbles: true }));
      }
    }, values);
  }

  async function ask(values: Readonly<Record<string, string>>): Promise<void> {
    await fill(values);
    await pressOn(page, 'form > button');
    await eventually(async () => expect(await shown('state')).toMatch(/^\d+ .+ ms$/u));
  }

  const focused = () => page.evaluate('document.activeElement.id');
  const shown = (id: string) => page.evaluate(`document.querySelector('#${id}').textContent`);
  const valueOf = (id: string) => page.evaluate(`document.querySelector('#${id}').value`);
  const isHidden = (id: string) =>
    page.evaluate(`!document.querySelector('#${id}').checkVisibility()`);
  const address = async () => new URL(String(await page.evaluate('location.href')));

  const DEPARTMENTS = '/tock/{item}/departments.{format}';
  const ofTrees = { call: DEPARTMENTS, 'field-tz': 'Europe/Berlin', 'field-item': 'trees' };

  test('has a label for each control', async () => {
    await open('', TOKEN);
    const without = await page.evaluate(
      '[...document.querySelectorAll("input, select, textarea")].filter((one) => one.labels.length === 0).length',
    );
    expect(without).toBe(0);
  });

  test.each([[[TOKEN]], [['wrong', TOKEN]]])(
    'asks for no other token once one is right: %j',
    async (tokens) => {
      await open('', ...tokens);
      expect(await shown('why')).toBe('');
      expect(await focused()).toBe('field-item');
    },
  );

  test('says that a token is wrong', async () => {
    await open('', 'wrong');
    expect(await shown('why')).toBe('This is none; give another.');
    expect(await focused()).toBe('token');
  });

  test('asks what is filled in, by the Enter key', async () => {
    await open('', TOKEN);
    await fill(ofTrees);
    await page.press('Enter');
    await eventually(async () => expect(await shown('state')).toMatch(/^200 OK, \d+ ms$/u));
    expect(await shown('link')).toBe('/tock/trees/departments.json?tz=Europe%2FBerlin');
    expect(await shown('text')).toBe('{\n  "parks": 5,\n  "roads": 2\n}');
  });

  test('shows a refusal as it is', async () => {
    await open('', TOKEN);
    await ask({ ...ofTrees, 'field-tz': 'Mars' });
    expect(await shown('state')).toMatch(/^400 Bad Request/u);
    expect(await shown('text')).toContain('tz must be an IANA time zone');
  });

  test('gives a command instead of a link that would lead to a refusal', async () => {
    await open('', TOKEN);
    await ask({ ...ofTrees, 'field-item': "it's" });
    const links =
      '[...document.links].filter((one) => one.checkVisibility()).map((one) => one.pathname)';
    expect(await page.evaluate(links)).toEqual(['/']);
    const command = String(await shown('curl'));
    expect(command).not.toContain(TOKEN);
    expect(command).toContain('/tock/it%27s/departments.json?');
    const { stdout } = await promisify(execFile)('sh', ['-c', `${command} -s`], {
      env: { ...process.env, TOKEN },
    });
    expect(stdout).toBe('{}');
    await pressOn(page, '#copy');
    await eventually(async () => expect(await shown('copy')).toBe('Copied'));
  });

  test('shows openapi.json where a link to it would not do', async () => {
    await open('');
    expect(await isHidden('description')).toBe(true);
    await page.click('#describe');
    await eventually(async () => expect(await focused()).toBe('token'));
    expect(await isHidden('answer')).toBe(true);
    await open('', TOKEN);
    await page.click('#describe');
    await eventually(async () => expect(await shown('state')).toMatch(/^200 OK/u));
    expect(await shown('text')).toContain('"openapi": "3.1.0"');
    expect(await shown('curl')).toContain(`'${collector.url}/openapi.json'`);
  });

  test.each([
    [360, 740],
    [1280, 900],
  ])('brings the answer into view at %i x %i', async (width, height) => {
    await page.resize(width, height);
    await open('', TOKEN);
    for (const values of [ofTrees, { call: '/tock/{item}/flow.{format}' }]) {
      await page.evaluate('scrollTo({ top: 0, behavior: "instant" })');
      await ask(values);
      await eventually(async () => {
        const { top, bottom } = await page.evaluate(() => {
          const box = document.querySelector('#answer')?.getBoundingClientRect();
          return { top: box?.top ?? -1, bottom: box?.bottom ?? Infinity };
        });
        expect(top).toBeGreaterThanOrEqual(0);
        expect(Math.min(bottom, top + height / 2)).toBeLessThanOrEqual(height);
      });
    }
    const { scrollWidth, clientWidth } = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      clientWidth: document.documentElement.clientWidth,
    }));
    expect(scrollWidth).toBe(clientWidth);
  });

  test('takes the answer away with the call that it is of', async () => {
    await open('', TOKEN);
    await ask(ofTrees);
    await fill({ call: '/tock/{item}/visitors.{format}' });
    expect(await isHidden('answer')).toBe(true);
    // Also one that is still under way.
    await fill(ofTrees);
    await page.evaluate(async (token) => {
      document.querySelector<HTMLButtonElement>('form > button')?.click();
      const call = document.querySelector<HTMLSelectElement>('#call');
      if (call) call.value = '/tock/{item}/time.{format}';
      call?.dispatchEvent(new Event('change', { bubbles: true }));
      // The same again is answered after it.
      const asked = document.querySelector('#link')?.textContent ?? '';
      const headers = { Authorization: `Bearer ${token}` };
      await (await fetch(asked, { headers, cache: 'no-cache' })).text();
      await new Promise((resolve) => setTimeout(resolve));
    }, TOKEN);
    expect(await isHidden('answer')).toBe(true);
    await ask({});
    expect(await shown('link')).toBe('/tock/trees/time.json?tz=Europe%2FBerlin');
  });

  test('keeps the question in its address, and never the token', async () => {
    await open('', TOKEN);
    await fill({
      call: '/query/departments.{format}',
      'field-item': 'a b\n7',
      'field-to': '2026-11-23',
    });
    const { search, href } = await address();
    expect([...new URLSearchParams(search)]).toEqual([
      ['call', '/query/departments.{format}'],
      ['format', 'json'],
      ['item', 'a b'],
      ['item', '7'],
      ['to', '2026-11-23'],
    ]);
    await ask({});
    expect((await address()).href).toBe(href);
    expect(href).not.toContain(TOKEN);
    await open(search, 'wrong', TOKEN);
    expect(await valueOf('call')).toBe('/query/departments.{format}');
    expect(await valueOf('field-item')).toBe('a b\n7');
    expect(await valueOf('field-to')).toBe('2026-11-23');
    expect((await address()).href).toBe(href);
  });

  test('takes of an address by hand what there is', async () => {
    await open('?call=/none&format=xml&item=trees&token=x', TOKEN);
    expect(await valueOf('call')).toBe('/tock/{item}.{format}');
    expect(await valueOf('field-format')).toBe('json');
    expect(await valueOf('field-item')).toBe('trees');
  });
});

test('the page /ask of an open collector links to what it asks', async () => {
  const open = await startCollector();
  const page = await (await openBrowser('chromium')).newPage();
  try {
    await page.goto(`${open.url}/ask?call=/items.{format}&format=csv`);
    await eventually(async () =>
      expect(await page.evaluate('document.querySelector("#field-format")?.value')).toBe('csv'),
    );
    await pressOn(page, 'form > button');
    await eventually(async () =>
      expect(await page.evaluate('document.querySelector("#state").textContent')).toMatch(/^200/u),
    );
    const links = '[...document.links].map((one) => one.getAttribute("href"))';
    expect(await page.evaluate(links)).toEqual(['/openapi.json', '/', '/items.csv']);
    const shown =
      '[...document.querySelectorAll("#command, #describe, #guarded")].filter((one) => one.checkVisibility()).length';
    expect(await page.evaluate(shown)).toBe(0);
  } finally {
    await page.dispose();
    await open.stop();
  }
});

/** Visits of the single-page applications, built and in development, and what was counted. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, createServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CollectorProcess, startCollector } from '../e2e/collector-process.ts';
import { eventually } from '../e2e/eventually.ts';
import { type Browser, openBrowser, type Page } from '../e2e/parts/browsers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HOST = '127.0.0.1';

/** Each with the file that has the head of all its pages. */
const APPS = [
  { app: 'spa-react', head: 'src/layout.tsx' },
  { app: 'spa-vue', head: 'src/app.vue' },
  { app: 'spa-svelte', head: 'src/app.svelte' },
];

let browser: Browser;
let collector: CollectorProcess;

beforeAll(async () => {
  browser = await openBrowser('chromium');
});

afterAll(() => {
  vi.unstubAllEnvs();
});

/** Vite takes its mode from these; in a test run it would build neither as it does for a user. */
async function startCollectorFor(mode: 'production' | 'development'): Promise<void> {
  collector = await startCollector();
  vi.stubEnv('VITE_METRONOME_URL', collector.url);
  vi.stubEnv('NODE_ENV', mode);
  vi.stubEnv('VITEST', undefined);
}

const stopCollector = (): Promise<unknown> => collector.stop();

describe('built', () => {
  beforeAll(() => startCollectorFor('production'));
  afterAll(stopCollector);

  test.each(APPS)('$app counts each view, search and download once', async ({ app }) => {
    const site = await servedBuild(join(ROOT, 'examples', app));
    const page = await browser.newPage();

    await page.goto(site.url);
    await shows(page, 'City open data');
    await follow(page, '/datasets/trees', 'Street trees');
    await page.goBack();
    await shows(page, 'City open data');
    await search(page, 'daily');
    await follow(page, '/datasets/air-quality', 'Air quality');
    await page.click('a[href="/air-quality.csv"]');
    await page.goto(`${site.url}datasets/bicycle-counts`);
    await shows(page, 'Bicycle counts');
    await page.closeTab();

    await counts(app, {
      '/tock/catalogue.json': { views: 2 },
      '/tock/trees.json': { views: 1 },
      '/tock/air-quality.json': { views: 1, downloads: { csv: 1 } },
      '/tock/bicycle-counts.json': { views: 1 },
      '/tock.json': { views: 5, downloads: { csv: 1 } },
    });
    expect(searchesOf(app)).toEqual([
      { item: 'catalogue', labels: { words: 'daily', results: '1' } },
    ]);
    await page.dispose();
    await site.close();
  });
});

describe('in development', () => {
  beforeAll(() => startCollectorFor('development'));
  afterAll(stopCollector);

  test.each(APPS)('$app counts a view once over a hot reload', async ({ app, head }) => {
    const folder = join(copyOfExamples(), app);
    const site = await servedHot(folder);
    const page = await browser.newPage();

    await page.goto(site.url);
    await shows(page, 'City open data');
    await follow(page, '/datasets/trees', 'Street trees');
    await page.evaluate('window.sameDocument = true');
    replaceIn(join(folder, head), 'City open data', 'Data of the city');
    await shows(page, 'Data of the city', 'header a');
    await page.goBack();
    await shows(page, 'City open data');
    expect(await page.evaluate('window.sameDocument')).toBe(true);
    await page.closeTab();

    await counts(app, {
      '/tock/catalogue.json': { views: 2 },
      '/tock/trees.json': { views: 1 },
      '/tock.json': { views: 3 },
    });
    await page.dispose();
    await site.close();
  });
});

interface Site {
  readonly url: string;
  close(): Promise<void>;
}

async function servedBuild(root: string): Promise<Site> {
  const outDir = mkdtempSync(join(tmpdir(), 'metronome-spa-'));
  await build({ root, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  const server = await preview({ root, build: { outDir }, preview: { host: HOST, port: 0 } });
  return { url: addressOf(server), close: () => server.close() };
}

async function servedHot(root: string): Promise<Site> {
  const server = await createServer({
    root,
    logLevel: 'warn',
    // The SDK lies outside of the copy.
    server: { host: HOST, port: 0, fs: { strict: false } },
  });
  await server.listen();
  return { url: addressOf(server), close: () => server.close() };
}

const addressOf = (server: { resolvedUrls: { local: string[] } | null }): string =>
  server.resolvedUrls?.local[0] ?? '';

/** The examples where a test may edit them. */
function copyOfExamples(): string {
  const copy = mkdtempSync(join(tmpdir(), 'metronome-examples-'));
  cpSync(join(ROOT, 'examples'), join(copy, 'examples'), {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
  cpSync(join(ROOT, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return join(copy, 'examples');
}

function replaceIn(path: string, from: string, to: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
}

const shows = (page: Page, text: string, selector = 'main h1'): Promise<void> =>
  eventually(async () =>
    expect(await page.evaluate((each) => document.querySelector(each)?.textContent, selector)).toBe(
      text,
    ),
  );

async function follow(page: Page, href: string, heading: string): Promise<void> {
  await page.click(`a[href="${href}"]`);
  await shows(page, heading);
}

async function search(page: Page, words: string): Promise<void> {
  await page.evaluate((typed) => {
    const input = document.querySelector('input');
    if (input === null) return;
    input.value = typed;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }, words);
  await page.click('button');
  await eventually(async () =>
    expect(await page.evaluate('document.querySelectorAll("li").length')).toBe(1),
  );
}

/** The application's own events are in no built-in statistic; the journal has them, each by its id. */
function searchesOf(app: string): unknown[] {
  const folder = join(collector.dataDir, 'journal');
  const searches = readdirSync(folder)
    .filter((name) => name.endsWith('.journal'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((each) => each['service.name'] === app && each['event.action'] === 'search')
    .map(({ 'event.id': id, item, labels }) => [id, { item, labels }] as const);
  return [...new Map(searches).values()];
}

/** Waits until the answers are these; views are of today, and what is not named is nothing. */
async function counts(
  app: string,
  expected: Readonly<Record<string, { views: number; downloads?: Record<string, number> }>>,
): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  await eventually(async () => {
    for (const [path, { views, downloads = {} }] of Object.entries(expected)) {
      const response = await fetch(`${collector.url}${path}?app=${app}`);
      expect([path, await response.json()]).toEqual([
        path,
        { views: { [today]: views }, downloads, referers: {} },
      ]);
    }
  });
}

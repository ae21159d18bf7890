/** Visits of the single-page applications, built and in development, and what was counted. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, createServer, preview, type PreviewServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type CollectorProcess, startCollector } from '../e2e/collector-process.ts';
import { eventually } from '../e2e/eventually.ts';
import { openBrowser, type Page } from '../e2e/parts/browsers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HOST = '127.0.0.1';

/** Each with the file that has the head of all its pages. */
const APPS = [
  { app: 'spa-react', head: 'src/layout.tsx' },
  { app: 'spa-vue', head: 'src/app.vue' },
  { app: 'spa-svelte', head: 'src/app.svelte' },
];

let collector: CollectorProcess;

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
    const url = await servedBuild(join(ROOT, 'examples', app));
    const page = await newPage();

    await page.goto(url);
    await counted(app, 'catalogue', { views: 1 });
    await page.click('a[href="/datasets/trees"]');
    await counted(app, 'trees', { views: 1 });
    await page.goBack();
    await counted(app, 'catalogue', { views: 2 });
    await search(page, 'daily');
    await page.click('a[href="/datasets/air-quality"]');
    await counted(app, 'air-quality', { views: 1 });
    await page.click('a[href="/air-quality.csv"]');
    await page.goto(`${url}datasets/bicycle-counts`);
    await counted(app, 'bicycle-counts', { views: 1 });

    // The last view has arrived, and so has all that was sent before it.
    expect(await tockOf(app, 'catalogue')).toEqual({ views: 2 });
    expect(await tockOf(app, 'trees')).toEqual({ views: 1 });
    expect(await tockOf(app, 'air-quality')).toEqual({ views: 1, downloads: { csv: 1 } });
    expect(await tockOf(app)).toEqual({ views: 5, downloads: { csv: 1 } });
    expect(searchesOf(app)).toEqual([
      { item: 'catalogue', labels: { words: 'daily', results: '1' } },
    ]);
  });
});

describe('in development', () => {
  beforeAll(() => startCollectorFor('development'));
  afterAll(stopCollector);

  test.each(APPS)('$app counts a view once over a hot reload', async ({ app, head }) => {
    const folder = join(copyOfExamples(), app);
    const url = await servedHot(folder);
    const page = await newPage();

    await page.goto(url);
    await counted(app, 'catalogue', { views: 1 });
    await page.click('a[href="/datasets/trees"]');
    await counted(app, 'trees', { views: 1 });
    await page.evaluate('window.sameDocument = true');
    replaceIn(join(folder, head), 'City open data', 'Data of the city');
    await becomes(page, 'document.querySelector("header a").textContent', 'Data of the city');
    await page.goBack();
    await counted(app, 'catalogue', { views: 2 });
    await page.click('a[href="/datasets/bicycle-counts"]');
    await counted(app, 'bicycle-counts', { views: 1 });
    expect(await page.evaluate('window.sameDocument')).toBe(true);

    expect(await tockOf(app, 'catalogue')).toEqual({ views: 2 });
    expect(await tockOf(app, 'trees')).toEqual({ views: 1 });
    expect(await tockOf(app)).toEqual({ views: 4 });
  });
});

/** The address of a production build. */
async function servedBuild(root: string): Promise<string> {
  const outDir = temporaryFolder();
  await build({ root, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  return listening(await preview({ root, build: { outDir }, preview: { host: HOST, port: 0 } }));
}

/** The address of a development server. */
async function servedHot(root: string): Promise<string> {
  const server = await createServer({
    root,
    logLevel: 'warn',
    // The SDK lies outside of the copy.
    server: { host: HOST, port: 0, fs: { strict: false } },
  });
  return listening(await server.listen());
}

function listening(server: PreviewServer | ViteDevServer): string {
  onTestFinished(() => server.close());
  return server.resolvedUrls?.local[0] ?? '';
}

/** The examples where a test may edit them. */
function copyOfExamples(): string {
  const copy = temporaryFolder();
  cpSync(join(ROOT, 'examples'), join(copy, 'examples'), {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
  cpSync(join(ROOT, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return join(copy, 'examples');
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'metronome-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function replaceIn(path: string, from: string, to: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
}

async function newPage(): Promise<Page> {
  const page = await (await openBrowser('chromium')).newPage();
  onTestFinished(() => page.dispose());
  return page;
}

const becomes = (page: Page, expression: string, value: unknown): Promise<void> =>
  eventually(async () => expect(await page.evaluate(expression)).toBe(value));

async function search(page: Page, words: string): Promise<void> {
  await page.evaluate((typed) => {
    const input = document.querySelector('input');
    if (input === null) return;
    input.value = typed;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }, words);
  await page.click('button');
  await becomes(page, 'document.querySelectorAll("li").length', 1);
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

const counted = (app: string, item: string, tock: object): Promise<void> =>
  eventually(async () => expect(await tockOf(app, item)).toEqual(tock));

/** Views over all days, downloads and referers by kind; what there is none of is left out. */
async function tockOf(app: string, item?: string): Promise<Record<string, unknown>> {
  const path = item === undefined ? '/tock.json' : `/tock/${item}.json`;
  const response = await fetch(`${collector.url}${path}?app=${app}`);
  expect(response.status).toBe(200);
  const { views, ...others }: Record<string, Record<string, number>> = await response.json();
  const total = Object.values(views ?? {}).reduce((sum, count) => sum + count, 0);
  const present = Object.entries(others).filter(([, counts]) => Object.keys(counts).length > 0);
  return { views: total, ...Object.fromEntries(present) };
}

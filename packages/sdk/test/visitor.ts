import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startRecorder, type Recorded, type Recorder, type Served } from './recorder.ts';

/** A browser profile of its own, and a site with a collector, for each test of a file. */
export interface Visitor {
  readonly recorder: Recorder;
  readonly context: BrowserContext;
  /** Serves `html` under `path`, with the script tag in its head, and opens it. */
  open(path: string, page?: PageOptions): Promise<Page>;
  /** Resolves with the events of a name when so many were accepted. */
  accepted(name: string, count?: number): Promise<Recorded[]>;
}

export interface PageOptions {
  html?: string;
  /** In the head, before the script tag. */
  head?: string;
  /** Of the script tag. */
  attributes?: string;
  headers?: Served['headers'];
  /** Instead of a new tab. */
  tab?: Page;
}

export const serve = (
  { site }: Recorder,
  path: string,
  { html = '', head = '', attributes = '', headers = {} }: PageOptions = {},
): void => {
  const text = `<!doctype html><html><head><title>${path}</title>${head}
<script defer src="/metronome.js" ${attributes}></script></head><body>${html}</body></html>`;
  site[path] = { text, headers };
};

/** Resolves when what loads at idle, from this file, observes the page. */
export const late = async (page: Page, file = '/metronome-vitals.js'): Promise<void> => {
  const loaded = await page.waitForFunction(
    (part) =>
      performance.getEntriesByType('resource').find(({ name }) => name.includes(part))?.name,
    file,
  );
  // As text, for the import is the page's. It resolves after the SDK's own.
  await page.evaluate(`import(${JSON.stringify(await loaded.jsonValue())}).then(() => {})`);
};

/** Starts the browser with the test file; each test has a fresh profile and a fresh collector. */
export const useVisitor = (): Visitor => {
  let browser: Browser;
  let recorder: Recorder;
  let context: BrowserContext | undefined;

  beforeAll(async () => {
    recorder = await startRecorder();
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox'],
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    });
    context = await browser.newContext();
  });
  afterEach(async () => {
    await context?.close();
    context = await browser.newContext();
    // On a port of its own, where nothing arrives late from the pages of this test.
    await recorder.close();
    recorder = await startRecorder(recorder.site);
  });
  afterAll(async () => {
    await browser.close();
    await recorder.close();
  });

  const current = (): BrowserContext => {
    if (!context) throw new Error('There is no browser yet');
    return context;
  };
  return {
    get recorder() {
      return recorder;
    },
    get context() {
      return current();
    },
    async open(path, options = {}) {
      serve(recorder, path.replace(/\?.*/, ''), options);
      const page = options.tab ?? (await current().newPage());
      await page.goto(recorder.origin + path);
      return page;
    },
    async accepted(name, count = 1) {
      await recorder.until(`${count} ${name}`, () => recorder.accepted(name).length >= count);
      return recorder.accepted(name);
    },
  };
};

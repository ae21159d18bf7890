import { chromium, type Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRecorder, type Recorded, type Recorder } from './recorder.ts';

let browser: Browser;
let recorder: Recorder;

const named = (events: Recorded[], name: string): Recorded[] =>
  events.filter((event) => event.event === name);

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  recorder = await startRecorder();
});
afterAll(async () => {
  await browser.close();
  await recorder.close();
});

test('a visit: view, navigation, download, error, vitals, engagement', async () => {
  recorder.pages['/datasets/trees'] = `<!doctype html><title>Trees</title>
    <script defer src="/metronome.js" data-item="trees" data-app="portal"></script>
    <h1>Trees</h1><a id="csv" href="/files/trees.csv?v=2#top">CSV</a>
    <a id="next" href="/datasets/parks" onclick="history.pushState({}, '', this.href); document.title = 'Parks'; return false">Parks</a>`;
  const page = await browser.newPage();
  await page.goto(`${recorder.origin}/datasets/trees`);
  await recorder.until((events) => events.some((event) => event.event === 'view'), 'the view');
  await page.click('#csv');
  await page.click('#next');
  await page.evaluate(() =>
    setTimeout(() => {
      throw new TypeError('broken leaf');
    }),
  );
  await page.waitForFunction(() =>
    performance
      .getEntriesByType('resource')
      .some((entry) => entry.name.endsWith('/metronome-vitals.js')),
  );
  await recorder.until((events) => named(events, 'view').length === 2, 'the second view');
  await page.goto('about:blank');
  const events = await recorder.until(
    (all) => named(all, 'vital').some((event) => event.name === 'CLS'),
    'CLS at the end',
  );
  await page.close();

  const url = `${recorder.origin}/datasets/trees`;
  const next = `${recorder.origin}/datasets/parks`;
  expect(named(events, 'view')).toMatchObject([
    { app: 'portal', item: 'trees', title: 'Trees', url, navigation: 'load' },
    { app: 'portal', title: 'Parks', url: next, referrer: url, navigation: 'push' },
  ]);
  expect(named(events, 'view')[1]).not.toHaveProperty('item');
  expect(named(events, 'download')).toMatchObject([
    { url, file: `${recorder.origin}/files/trees.csv?v=2`, page_item: 'trees' },
  ]);
  expect(named(events, 'error')).toMatchObject([
    { url: next, message: 'Uncaught TypeError: broken leaf' },
  ]);
  expect(named(events, 'engagement').map((event) => event.url)).toEqual([url, next]);
  expect(new Set(named(events, 'vital').map((event) => event.name))).toEqual(
    new Set(['CLS', 'FCP', 'INP', 'LCP', 'TTFB']),
  );
  expect(recorder.preflights).toBe(0);
});

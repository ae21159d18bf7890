import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { ENGINES, type Page } from './browser.ts';
import { openBrowser } from './browsers.ts';

/** What the pages report by beacon: `path event detail`. */
const reports: string[] = [];

const SCRIPT = `
  const report = (...words) => navigator.sendBeacon('/report', [location.pathname, ...words].join(' '));
  addEventListener('pageshow', (event) => report('pageshow', event.persisted));
  addEventListener('pagehide', (event) => report('pagehide', event.persisted));
  document.addEventListener('visibilitychange', () => report(document.visibilityState));
  for (const kind of ['click', 'auxclick']) {
    addEventListener(kind, (event) => {
      report(kind, event.button, event.ctrlKey, event.isTrusted);
      event.preventDefault();
    });
  }
  addEventListener('keydown', (event) => report('keydown', event.key, event.isTrusted));`;

const server: Server = createServer((request, response) => {
  // A browser that is killed breaks off its requests.
  answer(request, response).catch(() => response.destroy());
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    reports.push(await text(request));
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(`<!doctype html><title>A page</title><script>${SCRIPT}</script><a href="/x">x</a>`);
}

let origin: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => server.close());

function reported(report: string): Promise<void> {
  return vi.waitFor(() => expect(reports).toContain(report), { timeout: 10_000 });
}

describe.each(ENGINES)('%s', (engine) => {
  let page: Page | undefined;

  async function open(path: string): Promise<Page> {
    reports.length = 0;
    page = await (await openBrowser(engine)).newPage();
    await page.goto(`${origin}${path}`);
    return page;
  }

  afterEach(() => page?.dispose());

  test('runs functions and expressions in the page', async () => {
    const opened = await open('/evaluate');
    expect(await opened.evaluate('location.pathname')).toBe('/evaluate');
    const sum = await opened.evaluate(async ([a, b]: [number, number]) => a + b, [2, 3]);
    expect(sum).toBe(5);
    await expect(opened.evaluate('nowhere.to.be.found')).rejects.toThrow('nowhere');
  });

  test('clicks and types as a user', async () => {
    const { capabilities } = await openBrowser(engine);
    const opened = await open('/input');
    await opened.click('a');
    await reported('/input click 0 false true');
    await opened.click('a', { modifiers: ['Control'] });
    await reported('/input click 0 true true');
    await opened.press('Enter');
    await reported('/input keydown Enter true');
    const middle = opened.click('a', { button: 'middle' });
    if (!capabilities.otherButtons) return expect(middle).rejects.toThrow('middle');
    await middle;
    await reported('/input auxclick 1 false true');
    await opened.click('a', { button: 'right' });
    await reported('/input auxclick 2 false true');
  });

  test('goes back through the back/forward cache', async () => {
    const opened = await open('/first');
    await opened.goto(`${origin}/second`);
    await opened.goBack();
    expect(await opened.evaluate('location.pathname')).toBe('/first');
    await reported('/first pageshow true');
    await opened.evaluate(`history.pushState(null, '', '/pushed')`);
    await opened.goBack();
    expect(await opened.evaluate('location.pathname')).toBe('/first');
  });

  test('shares storage between the tabs of a profile only', async () => {
    const opened = await open('/storage');
    await opened.evaluate(`localStorage.setItem('kept', 'here')`);
    const tab = await opened.newTab(`${origin}/tab`);
    expect(await tab.evaluate(`localStorage.getItem('kept')`)).toBe('here');
    await opened.dispose();
    const fresh = await open('/fresh');
    expect(await fresh.evaluate(`localStorage.getItem('kept')`)).toBeNull();
  });

  test('hides tabs, brings them back and closes them', async () => {
    const opened = await open('/tabs');
    await opened.hide();
    await reported('/tabs hidden');
    await opened.show();
    await reported('/tabs visible');

    reports.length = 0;
    const tab = await opened.newTab(`${origin}/front`);
    await reported('/tabs hidden');
    expect(await tab.evaluate('document.visibilityState')).toBe('visible');
    await tab.closeTab();
    await reported('/front pagehide false');
    await reported('/tabs visible');
  });

  test('kills one tab, whose page sees nothing of it', async () => {
    const { capabilities } = await openBrowser(engine);
    const opened = await open('/stays');
    const tab = await opened.newTab(`${origin}/killed-tab`);
    if (!capabilities.killsTab) return expect(tab.kill()).rejects.toThrow();
    await tab.kill();
    expect(await opened.evaluate('location.pathname')).toBe('/stays');
    await reported('/stays visible');
    expect(reports).not.toContain('/killed-tab pagehide false');
  });

  test('is as large as told', async () => {
    const opened = await open('/size');
    await opened.resize(500, 600);
    await vi.waitFor(async () => {
      const [width, height] = await opened.evaluate(() => [innerWidth, innerHeight]);
      expect(width).toBeGreaterThan(450);
      expect(width).toBeLessThanOrEqual(500);
      expect(height).toBeGreaterThan(400);
      expect(height).toBeLessThanOrEqual(600);
    });
  });

  test('takes pictures', async () => {
    const opened = await open('/picture');
    const png = await opened.screenshot();
    expect(Buffer.from(png.subarray(1, 4)).toString()).toBe('PNG');
  });

  test('is killed, and starts again', async () => {
    const opened = await open('/killed');
    const browser = await openBrowser(engine);
    await browser.kill();
    page = undefined;
    await expect(opened.evaluate('1')).rejects.toThrow();
    const again = await open('/again');
    expect(await again.evaluate('1')).toBe(1);
  });
});

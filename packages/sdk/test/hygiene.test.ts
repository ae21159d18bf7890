import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { late, type PageOptions, useVisitor } from './visitor.ts';

const visitor = useVisitor();

/** Opens a page and tells what it complained of: errors, and violations of its policy. */
const openStrict = async (options: PageOptions): Promise<{ page: Page; complaints: string[] }> => {
  const complaints: string[] = [];
  const page = await visitor.context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await visitor.open('/', { ...options, tab: page });
  return { page, complaints };
};

describe('content security', () => {
  const strict = "default-src 'none'; connect-src 'self'";

  test.each([
    ['a nonce', `${strict}; script-src 'nonce-r4nd0m'`],
    ['strict-dynamic', `${strict}; script-src 'nonce-r4nd0m' 'strict-dynamic'`],
    ['the host alone', `${strict}; script-src 'self'`],
    [
      'Trusted Types',
      `${strict}; script-src 'nonce-r4nd0m'; require-trusted-types-for 'script'; trusted-types 'none'`,
    ],
  ])('%s', async (_, policy) => {
    const { page, complaints } = await openStrict({
      headers: { 'Content-Security-Policy': policy },
      attributes: 'nonce="r4nd0m"',
    });
    await visitor.accepted('view');
    await late(page);
    await page.goto('about:blank');
    await visitor.accepted('vital');
    expect(complaints.filter((text) => !text.includes('favicon'))).toEqual([]);
  });

  test('subresource integrity', async () => {
    const script = await readFile(new URL('../dist/metronome.js', import.meta.url));
    const hash = createHash('sha384').update(script).digest('base64');
    const { page } = await openStrict({
      attributes: `integrity="sha384-${hash}" crossorigin="anonymous"`,
    });
    await visitor.accepted('view');
    await late(page);
  });

  test('violations are reported as errors', async () => {
    const page = await visitor.open('/', {
      headers: { 'Content-Security-Policy': "img-src 'none'" },
    });
    await late(page);
    await page.evaluate(() => {
      document.body.append(Object.assign(new Image(), { src: 'https://example.org/a.png' }));
    });
    await visitor.recorder.until('the violation', () =>
      visitor.recorder.accepted('error').some(({ kind }) => kind === 'csp'),
    );
    expect(visitor.recorder.accepted('error')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'csp',
          message: 'img-src',
          source: 'https://example.org/a.png',
        }),
      ]),
    );
  });
});

test('the page stays eligible for the back/forward cache', async () => {
  const page = await visitor.open('/one');
  await visitor.accepted('view');
  await late(page);
  await visitor.open('/two', { tab: page });
  await visitor.accepted('view', 2);
  await page.evaluate(() => history.back());
  const views = await visitor.accepted('view', 3);
  expect(views[2]).toMatchObject({ url: `${visitor.recorder.origin}/one`, navigation: 'restore' });
});

describe('history', () => {
  test('is not touched where the Navigation API is', async () => {
    const page = await visitor.open('/');
    await visitor.accepted('view');
    expect(await page.evaluate(() => Object.getOwnPropertyNames(history))).toEqual([]);
  });

  test('works as before where it has to be wrapped, and is seen', async () => {
    const page = await visitor.open('/', {
      head: '<script>Object.defineProperty(window, "navigation", { value: undefined })</script>',
    });
    await visitor.accepted('view');
    const found = await page.evaluate(() => {
      history.pushState({ n: 1 }, '', '/pushed');
      const { pathname } = location;
      const { state } = history;
      let thrown = '';
      try {
        history.pushState(null, '', 'https://example.org/');
      } catch (error) {
        thrown = (error as Error).name;
      }
      return { pathname, state, thrown };
    });
    expect(found).toEqual({ pathname: '/pushed', state: { n: 1 }, thrown: 'SecurityError' });
    expect((await visitor.accepted('view', 2))[1]).toMatchObject({ navigation: 'push' });
    await page.evaluate(() => history.replaceState(null, '', '/replaced'));
    expect((await visitor.accepted('view', 3))[2]).toMatchObject({ navigation: 'replace' });
    await page.evaluate(() => history.pushState(null, '', '/again'));
    await visitor.accepted('view', 4);
    await page.evaluate(() => history.back());
    expect((await visitor.accepted('view', 5))[4]).toMatchObject({ navigation: 'traverse' });
  });
});

test('no Intl, no storage and no layout in the start path', async () => {
  const page = await visitor.context.newPage();
  await page.addInitScript(() => {
    const used: string[] = [];
    Object.assign(window, { used });
    const watch = (object: object, name: string): void => {
      const { get, value } = Object.getOwnPropertyDescriptor(object, name) ?? {};
      Object.defineProperty(object, name, {
        configurable: true,
        get() {
          used.push(name);
          return get ? get.call(this) : value;
        },
      });
    };
    watch(window, 'Intl');
    watch(window, 'localStorage');
    watch(window, 'scrollY');
    watch(window, 'innerHeight');
    watch(Element.prototype, 'scrollHeight');
    watch(Document.prototype, 'cookie');
  });
  // A script that waits for nothing, and one that looks right after it.
  visitor.recorder.site['/'] = `<!doctype html><script src="/metronome.js"></script>
    <script>window.usedAtStart = [...used]</script>`;
  await page.goto(visitor.recorder.origin);
  expect(await page.evaluate('usedAtStart')).toEqual([]);
});

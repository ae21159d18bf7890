import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { groupsMax } from '../src/instrumentation/errors.ts';
import type { Metronome } from '../src/tracker.ts';
import { late, useVisitor } from './visitor.ts';

declare const metronome: Metronome;

const visitor = useVisitor();

/** Throws in the page, in tasks of their own, once for each message. */
const throwAll = (page: Page, messages: readonly string[]): Promise<void> =>
  page.evaluate(
    (all) =>
      new Promise<void>((resolve) => {
        for (const message of all) {
          setTimeout(() => {
            throw new RangeError(message);
          });
        }
        setTimeout(resolve);
      }),
    messages,
  );

test('equal errors are one event with a count', async () => {
  const page = await visitor.open('/');
  await throwAll(page, ['same', 'same', 'other', 'same']);
  const found = await visitor.accepted('error', 2);
  expect(found).toMatchObject([
    {
      message: 'Uncaught RangeError: same',
      count: 3,
      stack: expect.stringContaining('RangeError'),
    },
    { message: 'Uncaught RangeError: other', count: 1 },
  ]);
});

test('a page view has room for so many and no more; the next begins anew', async () => {
  const page = await visitor.open('/');
  await throwAll(
    page,
    Array.from({ length: groupsMax + 5 }, (_, n) => `number ${n}`),
  );
  await page.evaluate(() => history.pushState(null, '', '/next'));
  await throwAll(page, ['after']);
  const found = await visitor.accepted('error', groupsMax + 1);
  expect(found.map(({ message }) => message)).toContain('Uncaught RangeError: after');
  expect(found).toHaveLength(groupsMax + 1);
});

test('errors leave with the page', async () => {
  const page = await visitor.open('/');
  await visitor.accepted('view');
  await throwAll(page, ['last words']);
  await page.goto('about:blank');
  await visitor.accepted('error');
});

test('unhandled rejections, of whatever', async () => {
  const page = await visitor.open('/');
  await page.evaluate(() => {
    void Promise.reject(new Error('no'));
    void Promise.reject('just text');
  });
  const found = await visitor.accepted('error', 2);
  expect(found.map(({ message }) => message)).toEqual(['Error: no', 'just text']);
});

test('what the owner cannot mend is marked', async () => {
  const { recorder } = visitor;
  const other = recorder.origin.replace('127.0.0.1', 'localhost');
  recorder.site['/throws.js'] = 'throw new Error("hidden")';
  const page = await visitor.open('/', {
    html: `<script defer src="${other}/throws.js"></script>`,
  });
  await page.evaluate(() => {
    const error = new Error('Cannot inject');
    error.stack = 'Error: Cannot inject\n at chrome-extension://abcdef/content.js:1:1';
    void Promise.reject(error);
    void Promise.reject(new Error('ours'));
  });
  const found = await visitor.accepted('error', 3);
  expect(found.map(({ message, noise }) => [message, noise])).toEqual(
    expect.arrayContaining([
      ['Script error.', 'Script error'],
      ['Error: Cannot inject', 'extension://'],
      ['Error: ours', undefined],
    ]),
  );
});

test('failed resources', async () => {
  const { recorder } = visitor;
  const page = await visitor.open('/');
  await late(page);
  await page.evaluate(() => {
    document.body.append(Object.assign(new Image(), { src: '/missing.png' }));
    document.head.append(
      Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/missing.css' }),
    );
  });
  const found = await visitor.accepted('error', 2);
  expect(found).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        kind: 'resource',
        message: 'IMG failed',
        source: `${recorder.origin}/missing.png`,
      }),
      expect.objectContaining({
        kind: 'resource',
        message: 'LINK failed',
        source: `${recorder.origin}/missing.css`,
      }),
    ]),
  );
});

test('a page full of broken images has room for no more than other errors', async () => {
  const page = await visitor.open('/');
  await late(page);
  await page.evaluate(async (count) => {
    const images = Array.from({ length: count }, (_, n) =>
      Object.assign(new Image(), { src: `/missing-${n}.png` }),
    );
    const failed = images.map(
      (image) => new Promise((resolve) => image.addEventListener('error', resolve)),
    );
    document.body.append(...images);
    await Promise.all(failed);
    metronome.track('last');
  }, groupsMax * 2);
  await page.goto('about:blank');
  await visitor.accepted('error', groupsMax);
  await visitor.accepted('last');
  expect(visitor.recorder.accepted('error')).toHaveLength(groupsMax);
});

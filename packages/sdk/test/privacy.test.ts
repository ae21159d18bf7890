import { describe, expect, test } from 'vitest';
import type { Metronome } from '../src/tracker.ts';
import { type PageOptions, useVisitor } from './visitor.ts';

declare const metronome: Metronome;

const visitor = useVisitor();

const signal = (name: string, value: string): string =>
  `<script>Object.defineProperty(Navigator.prototype, '${name}', { get: () => ${value} })</script>`;
const named: PageOptions = { attributes: 'data-visitor="v1" data-session="s1"' };

describe('signals', () => {
  test.each([
    ['gpc', signal('globalPrivacyControl', 'true')],
    ['dnt', signal('doNotTrack', '"1"')],
  ])('%s: counted without visitor and session', async (privacy, head) => {
    await visitor.open('/', { ...named, head });
    const [view] = await visitor.accepted('view');
    expect(view).toMatchObject({ privacy });
    expect(view).not.toHaveProperty('visitor');
    expect(view).not.toHaveProperty('session');
  });

  test('none: with what the application has said', async () => {
    await visitor.open('/', { ...named, head: signal('doNotTrack', '"0"') });
    const [view] = await visitor.accepted('view');
    expect(view).toMatchObject({ visitor: 'v1', session: 's1' });
    expect(view).not.toHaveProperty('privacy');
  });

  test('data-respect="drop" sends nothing', async () => {
    const head = signal('globalPrivacyControl', 'true');
    const page = await visitor.open('/', { head, attributes: 'data-respect="drop"' });
    await page.evaluate(async () => {
      metronome.track('never');
      await metronome.flush();
    });
    await page.goto('about:blank');
    expect(visitor.recorder.ticks).toEqual([]);
  });
});

describe('consent', () => {
  test('pending holds everything in memory until granted', async () => {
    const { recorder } = visitor;
    const page = await visitor.open('/', { attributes: 'data-consent="pending"' });
    await page.evaluate(async () => {
      metronome.track('early');
      await metronome.flush();
    });
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
    expect(recorder.ticks).toEqual([]);
    await page.evaluate(() => metronome.consent('granted'));
    await visitor.accepted('early');
    await visitor.accepted('view');
  });

  test('pending until the end sends nothing', async () => {
    const page = await visitor.open('/', { attributes: 'data-consent="pending"' });
    await page.evaluate(() => metronome.track('early'));
    await page.goto('about:blank');
    await visitor.open('/two', { tab: page });
    await visitor.accepted('view');
    expect(visitor.recorder.accepted().map(({ url }) => url)).not.toContain(
      `${visitor.recorder.origin}/`,
    );
  });

  test('denied forgets what is queued, holds on later pages, and can be taken back', async () => {
    const { recorder } = visitor;
    recorder.answer = () => 503;
    const page = await visitor.open('/');
    await recorder.until('a try', () => recorder.ticks.length > 0);
    await page.evaluate(async () => {
      metronome.consent('denied');
      metronome.track('never');
      await metronome.flush();
    });
    expect(await page.evaluate(() => Object.entries(localStorage))).toEqual([
      ['metronome', 'denied'],
    ]);
    expect(recorder.ticks.map(({ body }) => body).join()).not.toContain('never');
    recorder.reset();
    await visitor.open('/two', { tab: page });
    await page.evaluate(() => metronome.flush());
    await page.goto(`${recorder.origin}/`);
    expect(recorder.ticks).toEqual([]);
    await page.evaluate(async () => {
      metronome.consent('granted');
      metronome.track('again');
      await metronome.flush();
    });
    await visitor.accepted('again');
    expect(recorder.accepted('never')).toEqual([]);
  });
});

describe('scrubbing', () => {
  test('the values of listed parameters never leave the page', async () => {
    const { recorder } = visitor;
    const page = await visitor.open('/?token=abc123&page=2&next=%2Fin%3Ftoken%3Dabc123', {
      attributes: 'data-scrub="token, e-?mail"',
      html: '<a href="/files/a.csv?email=abc123&v=1">file</a>',
    });
    await page.click('a');
    await page.evaluate(() => {
      metronome.track('odd', { text: 'see https://x.example/?email=abc123" and token=abc123\n' });
      void Promise.reject(new Error('GET /api?token=abc123 failed'));
      history.pushState(null, '', '/next#token=abc123');
    });
    await visitor.accepted('view', 2);
    await page.goto('about:blank');
    await visitor.accepted('error');
    await visitor.accepted('download');
    await visitor.accepted('odd');
    expect(recorder.ticks.map(({ body }) => body).join()).not.toContain('abc123');
    expect(recorder.accepted('view')[0]?.url).toBe(
      `${recorder.origin}/?token=&page=2&next=%2Fin%3Ftoken%3D`,
    );
    expect(recorder.accepted('download')).toMatchObject([
      { file: `${recorder.origin}/files/a.csv?email=&v=1` },
    ]);
  });
});

test('nothing is kept in the browser after a visit', async () => {
  const page = await visitor.open('/');
  await visitor.accepted('view');
  const kept = await page.evaluate(async () => {
    await metronome.flush();
    return {
      cookie: document.cookie,
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      databases: await indexedDB.databases(),
      caches: await caches.keys(),
    };
  });
  expect(kept).toEqual({ cookie: '', local: [], session: [], databases: [], caches: [] });
});

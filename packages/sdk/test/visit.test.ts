import { expect, test } from 'vitest';
import type { Metronome } from '../src/tracker.ts';
import { late, useVisitor } from './visitor.ts';

declare const metronome: Metronome;

const visitor = useVisitor();

test('a visit: view, navigation, download, error, vitals, engagement', async () => {
  const { recorder } = visitor;
  const page = await visitor.open('/datasets/trees', {
    attributes: 'data-item="trees" data-app="portal"',
    html: `<a id="csv" href="/files/trees.csv?v=2#top">CSV</a>
      <a id="next" href="/datasets/parks" onclick="
        history.pushState({}, '', this.href); document.title = 'Parks'; return false">Parks</a>`,
  });
  await visitor.accepted('view');
  await page.click('#csv');
  await page.click('#next');
  await page.evaluate(() =>
    setTimeout(() => {
      throw new TypeError('broken leaf');
    }),
  );
  await late(page);
  await visitor.accepted('view', 2);
  await page.goto('about:blank');
  const vitals = new Set(['CLS', 'FCP', 'INP', 'LCP', 'TTFB']);
  const seen = (): Set<unknown> => new Set(recorder.accepted('vital').map(({ name }) => name));
  await recorder.until('all vitals', () => seen().size === vitals.size);

  const url = `${recorder.origin}/datasets/trees`;
  const next = `${recorder.origin}/datasets/parks`;
  const views = recorder.accepted('view');
  expect(views).toMatchObject([
    { app: 'portal', item: 'trees', title: '/datasets/trees', url, navigation: 'load' },
    { app: 'portal', title: 'Parks', url: next, referrer: url, navigation: 'push' },
  ]);
  expect(views[1]).not.toHaveProperty('item');
  expect(recorder.accepted('download')).toMatchObject([
    { url, file: `${recorder.origin}/files/trees.csv?v=2`, page_item: 'trees' },
  ]);
  expect(recorder.accepted('error')).toMatchObject([
    { url: next, message: 'Uncaught TypeError: broken leaf', count: 1 },
  ]);
  expect(recorder.accepted('engagement').map((event) => event.url)).toEqual([url, next]);
  expect(seen()).toEqual(vitals);
  for (const event of recorder.accepted()) {
    expect([views[0]?.id, views[1]?.id]).toContain(event.page);
  }
  for (const { headers } of recorder.ticks) {
    expect(headers['content-type']).toBe('text/plain;charset=UTF-8');
    expect(headers.cookie).toBeUndefined();
  }
  expect(recorder.preflights).toBe(0);
});

test('a view has its time to settle, whatever was due before it', async () => {
  const page = await visitor.context.newPage();
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1_000);
  await visitor.open('/', { tab: page, attributes: 'data-late="false"' });
  const push = (url: string): Promise<void> =>
    page.evaluate((to) => history.pushState(null, '', to), url);
  const setItem = (item: string): Promise<void> =>
    page.evaluate((about) => metronome.setItem(about), item);

  // Settling takes 100 ms; 4 s after the start a batch is due, and another after the first view.
  await page.clock.runFor(3_800);
  for (const item of ['one', 'two', 'three']) {
    await push(`/${item}`);
    await page.clock.runFor(99);
    await setItem(item);
    await page.clock.runFor(11);
  }
  await push('/passing');
  await page.clock.runFor(90);
  await push('/four');
  await page.clock.runFor(90);
  await setItem('four');
  await page.clock.runFor(10);
  await page.evaluate(async () => {
    metronome.track('search');
    const sent = metronome.flush();
    history.pushState(null, '', '/five');
    await sent;
    metronome.setItem('five');
  });
  await page.clock.runFor(100);

  const views = await visitor.accepted('view', 7);
  const items = views.map(({ item }) => item);
  expect(items).toEqual([undefined, 'one', 'two', 'three', undefined, 'four', 'five']);
});

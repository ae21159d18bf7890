import { expect, test } from 'vitest';
import { useVisitor } from './visitor.ts';

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
  await page.waitForFunction(() =>
    performance
      .getEntriesByType('resource')
      .some((entry) => entry.name.endsWith('/metronome-vitals.js')),
  );
  await visitor.accepted('view', 2);
  await page.goto('about:blank');
  await recorder.until('CLS', () =>
    recorder.accepted('vital').some((event) => event.name === 'CLS'),
  );

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
  expect(new Set(recorder.accepted('vital').map((event) => event.name))).toEqual(
    new Set(['CLS', 'FCP', 'INP', 'LCP', 'TTFB']),
  );
  for (const event of recorder.accepted()) {
    expect([views[0]?.id, views[1]?.id]).toContain(event.page);
  }
  for (const { headers } of recorder.ticks) {
    expect(headers['content-type']).toBe('text/plain;charset=UTF-8');
    expect(headers.cookie).toBeUndefined();
  }
  expect(recorder.preflights).toBe(0);
});

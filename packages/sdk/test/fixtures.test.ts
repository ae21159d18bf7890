import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Metronome } from '../src/tracker.ts';
import type { Recorded } from './recorder.ts';
import { late, useVisitor } from './visitor.ts';

declare const metronome: Metronome;

const visitor = useVisitor();
const folder = new URL('../../../fixtures/sdk/', import.meta.url);

/** A visit that leads to every kind of event. */
const visit = async (): Promise<Recorded[]> => {
  const { recorder } = visitor;
  const page = await visitor.open('/datasets/trees?utm_source=news', {
    attributes: 'data-app="portal" data-item="trees"',
    html: `<a id="file" href="/files/trees.csv" data-metronome-item="trees-csv">CSV</a>
      <a id="export" href="/files/export" download="trees.kml">KML</a>
      <a id="out" href="https://example.org/" target="_blank">out</a>
      <button data-metronome-event="subscribe" data-metronome-plan="pro">Subscribe</button>`,
  });
  await visitor.accepted('view');
  await late(page);
  await visitor.context.route('https://example.org/**', (route) => route.abort());
  for (const selector of ['#file', '#export', '#out', 'button']) await page.click(selector);
  await page.evaluate(() => {
    document.body.append(Object.assign(new Image(), { src: '/missing.png' }));
    metronome.track('dropped', { value: 3 });
    metronome.track('search', { term: 'oak', hits: 3 });
    void Promise.reject(new TypeError('No answer'));
    setTimeout(() => {
      throw new TypeError('broken leaf');
    });
  });
  await visitor.accepted('error', 3);
  await page.evaluate(() => history.pushState(null, '', '/datasets/parks'));
  await visitor.accepted('view', 2);
  await page.goto('about:blank');
  await visitor.accepted('engagement', 2);
  await visitor.open('/datasets/oaks', {
    tab: page,
    head: `<script>Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {
      get: () => true })</script>`,
  });
  await visitor.accepted('view', 3);
  await recorder.until('a vital of each page', () =>
    ['app', 'privacy'].every((key) => recorder.accepted('vital').some((vital) => key in vital)),
  );
  return recorder.ticks.flatMap(({ events }) => events);
};

/** What an event is made of: its keys, and the type of each. `sent` belongs to the body. */
const shape = (event: Recorded): string =>
  Object.entries(event)
    .filter(([key]) => key !== 'sent')
    .map(
      ([key, value]) =>
        `${key}: ${key === 'event' || key === 'kind' ? String(value) : typeof value}`,
    )
    .toSorted()
    .join('; ');

test('the bodies under fixtures/sdk are what the SDK sends', async () => {
  const seen = new Set((await visit()).map(shape));
  const files = (await readdir(folder)).filter((name) => /^[\w-]+\.json$/.test(name));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const body = JSON.parse(await readFile(new URL(file, folder), 'utf8')) as Recorded[];
    expect(Object.keys(body[0] ?? {})[0], file).toBe('sent');
    for (const event of body) expect(seen, file).toContain(shape(event));
  }
});

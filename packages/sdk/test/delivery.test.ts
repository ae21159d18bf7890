import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { lineCharsMax, queueCharsMax } from '../src/queue.ts';
import type { Metronome } from '../src/tracker.ts';
import type { Recorded } from './recorder.ts';
import { type PageOptions, serve, useVisitor } from './visitor.ts';

declare const metronome: Metronome;

const visitor = useVisitor();

/** Opens a page that sends nothing but its view and what the test records. */
const open = (path: string, options?: PageOptions): Promise<Page> =>
  visitor.open(path, { attributes: 'data-late="false"', ...options });

/** Records `count` events called `beat`, numbered from `first`, of about `bytes` each. */
const beat = (page: Page, count: number, { first = 0, bytes = 0 } = {}): Promise<void> =>
  page.evaluate(
    ([from, number, size]) => {
      for (let n = from; n < from + number; n++) {
        metronome.track('beat', { n, ...(size && { text: 'x'.repeat(size) }) });
      }
    },
    [first, count, bytes] as const,
  );
const flush = (page: Page): Promise<void> => page.evaluate(() => metronome.flush());
const stored = (page: Page): Promise<string[]> => page.evaluate(() => Object.keys(localStorage));
const identity = ({ id, time }: Recorded): string => `${String(id)} ${String(time)}`;
const numbers = (events: Recorded[]): unknown[] =>
  events.map(({ n }) => n).toSorted((one, other) => Number(one) - Number(other));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('while the page lives', () => {
  test('the view is sent at once, the rest in batches', async () => {
    const page = await open('/');
    await visitor.accepted('view');
    await beat(page, 30);
    await visitor.accepted('beat', 30);
    expect(visitor.recorder.ticks.filter(({ body }) => body.includes('"beat"'))).toHaveLength(1);
    expect(visitor.recorder.preflights).toBe(0);
    await flush(page);
    expect(await stored(page)).toEqual([]);
  });

  test.each([
    ['503', 503],
    ['429', 429],
    ['a cut connection', 0],
  ])('%s is retried with the same ids and times', async (_, status) => {
    const { recorder } = visitor;
    recorder.answer = (_tick, index) => (index < 2 ? status : 202);
    const page = await open('/');
    await recorder.until('the first try', () => recorder.ticks.length === 1);
    await flush(page);
    await flush(page);
    await visitor.accepted('view');
    const views = recorder.ticks.flatMap(({ events }) =>
      events.filter(({ event }) => event === 'view'),
    );
    expect(views).toHaveLength(3);
    expect(new Set(views.map(identity)).size).toBe(1);
  });

  test('a failure is retried by itself', async () => {
    visitor.recorder.answer = (_tick, index) => (index === 0 ? 503 : 202);
    await open('/');
    await visitor.accepted('view');
    expect(visitor.recorder.ticks.map(({ status }) => status)).toEqual([503, 202]);
  });

  test('a collector that never answers holds up nothing', async () => {
    const { recorder } = visitor;
    recorder.answer = (_tick, index) => (index === 0 ? -1 : 202);
    const page = await visitor.context.newPage();
    await page.addInitScript(() => {
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (ms) => timeout(ms / 100);
    });
    await open('/', { tab: page });
    await visitor.accepted('view');
    expect(recorder.ticks.map(({ status }) => status)).toEqual([-1, 202]);
  });

  test('what is answered with 400 is settled', async () => {
    const { recorder } = visitor;
    const page = await open('/');
    await visitor.accepted('view');
    recorder.answer = ({ body }) => (body.includes('"n":0') ? 400 : 202);
    await beat(page, 1);
    await flush(page);
    expect(recorder.ticks.at(-1)?.status).toBe(400);
    await beat(page, 1, { first: 1 });
    await flush(page);
    expect(numbers(recorder.accepted('beat'))).toEqual([1]);
    expect(recorder.accepted('dropped')).toEqual([]);
    expect(await stored(page)).toEqual([]);
  });

  test('what a proxy refuses is given up and counted', async () => {
    const { recorder } = visitor;
    const page = await open('/');
    await visitor.accepted('view');
    recorder.answer = ({ body }) => (body.includes('"n":0') ? 404 : 202);
    await beat(page, 3);
    await flush(page);
    expect(recorder.accepted('dropped')).toMatchObject([{ value: 3 }]);
  });

  test('413 is split', async () => {
    const { recorder } = visitor;
    const page = await open('/');
    await visitor.accepted('view');
    recorder.answer = ({ body }) => (body.length > 4_000 ? 413 : 202);
    await beat(page, 10, { bytes: 1_000 });
    await flush(page);
    expect(numbers(recorder.accepted('beat'))).toEqual(upTo(10));
    expect(recorder.accepted('dropped')).toEqual([]);
  });

  test('an event that is too large for any request is counted, and holds nothing up', async () => {
    const { recorder } = visitor;
    const page = await open('/');
    await visitor.accepted('view');
    await beat(page, 1, { bytes: lineCharsMax });
    await beat(page, 1, { first: 1 });
    await flush(page);
    expect(numbers(recorder.accepted('beat'))).toEqual([1]);
    expect(recorder.accepted('dropped')).toMatchObject([{ value: 1 }]);
  });

  test('text of any alphabet fits into the requests', async () => {
    const page = await open('/');
    await page.evaluate(() => {
      for (let n = 0; n < 5; n++) metronome.track('beat', { n, text: '日本語'.repeat(4_000) });
    });
    await flush(page);
    expect(numbers(visitor.recorder.accepted('beat'))).toEqual(upTo(5));
  });
});

describe('when the page goes', () => {
  test('an event and at once a navigation', async () => {
    const page = await open('/');
    await visitor.accepted('view');
    await beat(page, 1);
    await page.goto('about:blank');
    await visitor.accepted('beat');
  });

  test('an event in pagehide', async () => {
    const page = await open('/');
    await visitor.accepted('view');
    await page.evaluate(() => {
      addEventListener('pagehide', () => metronome.track('beat', { n: 0 }));
    });
    await page.goto('about:blank');
    await visitor.accepted('beat');
  });

  test('an event and at once the end of the tab', async () => {
    const page = await open('/');
    await visitor.accepted('view');
    await beat(page, 1);
    await page.close();
    await visitor.accepted('beat');
  });

  test('a visitor who leaves before the view has settled counts', async () => {
    const page = await open('/');
    await page.goto('about:blank');
    await visitor.accepted('view');
  });

  test('what is recorded when the page is hidden at last has a second chance', async () => {
    const { recorder } = visitor;
    const page = await visitor.open('/');
    await visitor.accepted('view');
    const before = recorder.ticks.length;
    recorder.answer = (tick) => {
      const earlier = recorder.ticks.slice(before).some(({ body }) => body.includes('"beat"'));
      return tick.body.includes('"beat"') && !earlier ? 503 : 202;
    };
    await page.evaluate(() => {
      document.addEventListener('visibilitychange', () => metronome.track('beat', { n: 0 }));
    });
    await page.goto('about:blank');
    await visitor.accepted('beat');
  });

  test('90 KB in a burst', async () => {
    const page = await open('/');
    await visitor.accepted('view');
    await beat(page, 30, { bytes: 3_000 });
    await page.goto('about:blank');
    await visitor.accepted('beat', 30);
  });
});

describe('without a collector', () => {
  test('what could not be sent comes with the next page, under the same ids and times', async () => {
    const { recorder } = visitor;
    recorder.answer = () => 503;
    const page = await open('/one');
    await beat(page, 3);
    await flush(page);
    const [before] = recorder.ticks.splice(0).map(({ events }) => events.map(identity));
    await page.goto('about:blank');
    recorder.answer = () => 202;
    await open('/two', { tab: page });
    await visitor.accepted('beat', 3);
    await flush(page);
    expect(recorder.accepted().map(identity)).toEqual(expect.arrayContaining(before ?? []));
    expect(numbers(recorder.accepted('beat'))).toEqual(upTo(3));
    expect(await stored(page)).toEqual([]);
  });

  test('a tab that was killed loses nothing that it had recorded', async () => {
    const { recorder } = visitor;
    recorder.answer = () => 0;
    const page = await open('/one');
    await recorder.until('a try', () => recorder.ticks.length > 0);
    await beat(page, 3);
    const devtools = await visitor.context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    devtools.send('Page.crash').catch(() => {});
    await crashed;
    recorder.answer = () => 202;
    await open('/two');
    await visitor.accepted('beat', 3);
    expect(recorder.accepted('view').map(({ url }) => url)).toEqual(
      expect.arrayContaining([`${recorder.origin}/one`]),
    );
  });

  test('the page that comes back delivers what two tabs have left', async () => {
    const { recorder } = visitor;
    recorder.answer = () => 503;
    const one = await open('/one');
    await recorder.until('a try', () => recorder.ticks.length > 0);
    const two = await open('/two');
    await beat(one, 2);
    await beat(two, 2, { first: 2 });
    await one.close();
    await two.close();
    recorder.answer = () => 202;
    const page = await open('/three');
    await visitor.accepted('view', 3);
    await visitor.accepted('beat', 4);
    await flush(page);
    expect(numbers(recorder.accepted('beat'))).toEqual(upTo(4));
    expect(await stored(page)).toEqual([]);
  });

  test('storage is bounded, and what did not fit is counted', async () => {
    const { recorder } = visitor;
    recorder.answer = () => 503;
    const page = await open('/');
    await recorder.until('a try', () => recorder.ticks.length > 0);
    await beat(page, 100, { bytes: 5_000 });
    const kept = (await stored(page)).filter((key) => key.includes('"beat"'));
    expect(kept.join('').length).toBeLessThanOrEqual(queueCharsMax + lineCharsMax);
    expect(kept.length).toBeGreaterThan(40);
    await page.goto('about:blank');
    recorder.answer = () => 202;
    await open('/two', { tab: page });
    await visitor.accepted('beat', kept.length);
    await visitor.accepted('dropped');
    await flush(page);
    const lost = recorder.accepted('dropped').reduce((sum, { value }) => sum + Number(value), 0);
    expect(recorder.accepted('beat').length + lost).toBe(100);
  });

  test('a browser that is offline delivers when it is back', async () => {
    const page = await open('/');
    await visitor.accepted('view');
    await visitor.context.setOffline(true);
    await beat(page, 3);
    await flush(page);
    expect(visitor.recorder.accepted('beat')).toEqual([]);
    await visitor.context.setOffline(false);
    await visitor.accepted('beat', 3);
  });
});

describe('where storage is denied', () => {
  test('events are delivered all the same', async () => {
    const errors: Error[] = [];
    const page = await visitor.context.newPage();
    page.on('pageerror', (error) => errors.push(error));
    await open('/', {
      tab: page,
      head: `<script>Object.defineProperty(window, 'localStorage', {
        get() { throw new DOMException('Denied', 'SecurityError'); } })</script>`,
    });
    await visitor.accepted('view');
    await beat(page, 3);
    await page.goto('about:blank');
    await visitor.accepted('beat', 3);
    expect(errors).toEqual([]);
  });

  test('in a sandboxed frame', async () => {
    const { recorder } = visitor;
    serve(recorder, '/framed');
    recorder.site['/'] = `<iframe sandbox="allow-scripts" src="/framed"></iframe>`;
    const page = await visitor.context.newPage();
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.goto(recorder.origin);
    expect(await visitor.accepted('view')).toMatchObject([{ url: `${recorder.origin}/framed` }]);
    expect(errors).toEqual([]);
  });

  test('in a page from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'metronome-sdk-'));
    try {
      const file = join(folder, 'page.html');
      const script = `${visitor.recorder.origin}/metronome.js`;
      await writeFile(file, `<!doctype html><script defer src="${script}"></script>`);
      const page = await visitor.context.newPage();
      const errors: Error[] = [];
      page.on('pageerror', (error) => errors.push(error));
      await page.goto(pathToFileURL(file).href);
      await visitor.accepted('view');
      expect(errors).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('where requests are blocked, nothing reaches the page', async () => {
    const page = await visitor.context.newPage();
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.route('**/tick', (route) => route.abort('blockedbyclient'));
    await open('/', { tab: page });
    await page.waitForFunction(() => typeof metronome !== 'undefined');
    await beat(page, 3);
    await flush(page);
    expect(errors).toEqual([]);
    expect(visitor.recorder.ticks).toEqual([]);
  });
});

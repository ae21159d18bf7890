import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import type { Metronome } from '../src/tracker.ts';
import { late, useVisitor } from './visitor.ts';

declare const metronome: Metronome;

declare global {
  interface Window {
    /** Lets time go by, which stands still otherwise. */
    pass(ms: number): void;
  }
}

const visitor = useVisitor();

/** A page higher than the window, when engagement is being measured. */
const openTall = async (): Promise<Page> => {
  const page = await visitor.context.newPage();
  await page.addInitScript(() => {
    let now = 1;
    performance.now = () => now;
    window.pass = (ms) => {
      now += ms;
    };
  });
  await visitor.open('/', { tab: page, html: '<div style="height: 4000px">tall</div>' });
  await late(page);
  return page;
};

const pass = (page: Page, ms: number): Promise<void> =>
  page.evaluate((time) => window.pass(time), ms);

const durations = (events: readonly { duration?: unknown }[]): unknown[] =>
  events.map(({ duration }) => duration);

test('time that passes without a sign of life counts up to 30 s', async () => {
  const page = await openTall();
  await pass(page, 10_000);
  await page.mouse.move(20, 20);
  await pass(page, 600_000);
  await page.mouse.move(30, 30);
  await page.goto('about:blank');
  expect(durations(await visitor.accepted('engagement'))).toEqual([40_000]);
});

test('hidden time does not count, and what came before is sent', async () => {
  const page = await openTall();
  await pass(page, 5_000);
  const hide = (hidden: boolean): Promise<void> =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
  await hide(true);
  await visitor.accepted('engagement');
  await pass(page, 20_000);
  await hide(false);
  await pass(page, 3_000);
  await page.goto('about:blank');
  expect(durations(await visitor.accepted('engagement', 2))).toEqual([5_000, 3_000]);
});

test('between pagehide and hidden no time counts, however slow the browser is', async () => {
  const page = await openTall();
  await pass(page, 2_000);
  await page.evaluate(() => {
    addEventListener('pagehide', () => window.pass(1_000));
    document.addEventListener('visibilitychange', () => metronome.track('last'));
  });
  await page.goto('about:blank');
  await visitor.accepted('last');
  expect(durations(visitor.recorder.accepted('engagement'))).toEqual([2_000]);
});

test('each view has its own time, and the deepest point of its scrolling', async () => {
  const { recorder } = visitor;
  const page = await openTall();
  const scroll = (y: number): Promise<void> =>
    page.evaluate(
      (top) =>
        new Promise<void>((resolve) => {
          addEventListener('scroll', () => resolve(), { once: true });
          scrollTo(0, top);
        }),
      y,
    );
  await scroll(99_999);
  await scroll(0);
  await pass(page, 1_000);
  await page.evaluate(() => history.pushState(null, '', '/two'));
  await pass(page, 2_000);
  await page.goto('about:blank');
  const [first, second] = await visitor.accepted('engagement', 2);
  expect(first).toMatchObject({ url: `${recorder.origin}/`, duration: 1_000, scroll: 100 });
  expect(second).toMatchObject({ url: `${recorder.origin}/two`, duration: 2_000 });
  expect(second?.scroll).toBeLessThan(50);
  expect([first?.page, second?.page]).toEqual(recorder.accepted('view').map(({ id }) => id));
});

import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { useVisitor } from './visitor.ts';

declare global {
  interface Window {
    /** Set when somebody listens for signs of life. */
    watched?: boolean;
  }
}

const visitor = useVisitor();

/** A page higher than the window, when engagement is being measured; with a clock to turn. */
const openTall = async ({ clock = false } = {}): Promise<Page> => {
  const page = await visitor.context.newPage();
  await page.addInitScript(() => {
    const listen = window.addEventListener.bind(window);
    window.addEventListener = (type: string, ...rest: [EventListenerOrEventListenerObject]) => {
      if (type === 'pointermove') window.watched = true;
      listen(type, ...rest);
    };
  });
  if (clock) await page.clock.install();
  await visitor.open('/', { tab: page, html: '<div style="height: 4000px">tall</div>' });
  if (clock) await page.clock.runFor(1_000);
  await page.waitForFunction(() => window.watched);
  return page;
};

const total = (durations: readonly { duration?: unknown }[]): number =>
  durations.reduce((sum, { duration }) => sum + Number(duration), 0);

test('time that passes without a sign of life counts up to 30 s', async () => {
  const page = await openTall({ clock: true });
  await page.mouse.move(10, 10);
  await page.clock.fastForward(10_000);
  await page.mouse.move(20, 20);
  await page.clock.fastForward(600_000);
  await page.mouse.move(30, 30);
  await page.goto('about:blank');
  const seen = total(await visitor.accepted('engagement'));
  expect(seen).toBeGreaterThanOrEqual(40_000);
  expect(seen).toBeLessThan(50_000);
});

test('hidden time does not count, and what came before is sent', async () => {
  const page = await openTall({ clock: true });
  await page.mouse.move(10, 10);
  await page.clock.fastForward(5_000);
  const hide = (hidden: boolean): Promise<void> =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
  await hide(true);
  await visitor.accepted('engagement');
  await page.clock.fastForward(20_000);
  await hide(false);
  await page.clock.fastForward(3_000);
  await page.goto('about:blank');
  const seen = total(await visitor.accepted('engagement', 2));
  expect(seen).toBeGreaterThanOrEqual(8_000);
  expect(seen).toBeLessThan(18_000);
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
  await page.evaluate(() => history.pushState(null, '', '/two'));
  const start = await page.evaluate(() => performance.now());
  await page.waitForFunction((from) => performance.now() > from + 100, start);
  await page.goto('about:blank');
  const [first, second] = await visitor.accepted('engagement', 2);
  expect(first).toMatchObject({ url: `${recorder.origin}/`, scroll: 100 });
  expect(second).toMatchObject({ url: `${recorder.origin}/two` });
  expect(second?.scroll).toBeLessThan(50);
  expect([first?.page, second?.page]).toEqual(recorder.accepted('view').map(({ id }) => id));
});

/**
 * Engaged time and scroll depth of a page view.
 *
 * Time counts while the page is visible and the visitor active: each sign of life is good for
 * at most `idleMs`. `duration` is what came since the view's last `engagement` event, so they
 * add up; `scroll` is the deepest point so far, in percent of the page.
 */
import type { Instrumentation } from '../instrumentation.ts';

export const idleMs = 30_000;
/** Less says nothing, and is kept for the next event. */
const durationMsMin = 50;

export const engagement: Instrumentation = (emit, { listen, onLeave }) => {
  /** When the last sign of life was; 0 while no time counts. The first is the navigation. */
  let lastMs = document.hidden ? 0 : 1;
  let engagedMs = 0;
  let deepest = 0;

  const advance = (type?: string): void => {
    const nowMs = performance.now();
    if (lastMs) engagedMs += Math.min(nowMs - lastMs, idleMs);
    lastMs = document.hidden ? 0 : nowMs;
    // To look at any other time could force a layout.
    if (type === 'scroll') deepest = Math.max(deepest, scrollY);
  };

  advance('scroll');
  onLeave((ended) => {
    advance();
    if (engagedMs > durationMsMin) {
      const depth = (deepest + innerHeight) / document.documentElement.scrollHeight;
      emit('engagement', {
        duration: Math.round(engagedMs),
        scroll: Math.round(Math.min(depth, 1) * 100),
      });
      engagedMs = 0;
    }
    // After pagehide nothing counts until a sign of life, which a page gives that comes back.
    if (ended) deepest = 0;
    else lastMs = 0;
  });
  listen('visibilitychange pointermove click keydown scroll', ({ type }) => advance(type));
};

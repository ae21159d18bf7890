/**
 * Engaged time and scroll depth of a page view.
 *
 * Time counts while the page is visible and the visitor active: each sign of life is good for
 * at most `idleMs`. `duration` is what came since the view's last `engagement` event, so they
 * add up; `scroll` is the deepest point so far, in percent of the page.
 */
import type { Instrumentation } from '../instrumentation.ts';
import { all, listen } from '../lib/listen.ts';

export const idleMs = 30_000;
/** Less is kept for the next event: pagehide and hidden follow each other within moments. */
const durationMsMin = 50;

export const engagement: Instrumentation = (emit, _options, { onLeave }) => {
  let visible = !document.hidden;
  let lastMs = performance.now();
  let engagedMs = 0;
  let depth = 0;

  const advance = (): void => {
    const nowMs = performance.now();
    if (visible) engagedMs += Math.min(nowMs - lastMs, idleMs);
    lastMs = nowMs;
    visible = !document.hidden;
  };

  const measureDepth = (): void => {
    const { scrollHeight } = document.documentElement;
    depth = Math.max(
      depth,
      Math.min(100, Math.round(((scrollY + innerHeight) / scrollHeight) * 100)),
    );
  };

  onLeave((ended) => {
    advance();
    const duration = Math.round(engagedMs);
    if (duration > durationMsMin) {
      measureDepth();
      emit('engagement', { duration, scroll: depth });
      engagedMs = 0;
    }
    if (ended) depth = 0;
  });

  return all(
    listen(document, 'visibilitychange', advance),
    listen(globalThis, 'pointermove pointerdown keydown', advance),
    listen(globalThis, 'scroll', () => {
      advance();
      measureDepth();
    }),
  );
};

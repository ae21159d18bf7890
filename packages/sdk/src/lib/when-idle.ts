import { listen } from './listen.ts';

/** Calls `run` when the page has loaded and has nothing better to do. */
export const whenIdle = (run: () => void): void => {
  const idle = (): unknown =>
    'requestIdleCallback' in globalThis ? requestIdleCallback(run) : setTimeout(run, 1);
  if (document.readyState === 'complete') idle();
  else listen(globalThis, 'load', idle);
};

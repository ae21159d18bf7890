import { safely } from './safely.ts';

/** Undoes what the function that returned it has set up. */
export type Stop = () => void;

/**
 * Calls `handler` for each of the space-separated event `types`.
 *
 * Listens in the capture phase, so that a page's handler that stops propagation hides nothing;
 * with `last`, in the bubble phase, after everybody else.
 */
export const listen = <E extends Event>(
  target: EventTarget,
  types: string,
  handler: (event: E) => void,
  last?: boolean,
): Stop => {
  const guarded = safely(handler) as EventListener;
  const names = types.split(' ');
  for (const name of names) target.addEventListener(name, guarded, !last);
  return () => {
    for (const name of names) target.removeEventListener(name, guarded, !last);
  };
};

/** One stop for several. */
export const all =
  (...stops: Stop[]): Stop =>
  () => {
    for (const stop of stops) stop();
  };

import { safely } from './safely.ts';

export interface Listen {
  /**
   * Calls `handler` for each of the space-separated event `types`, anywhere in this window.
   *
   * In the capture phase, so that a page's handler that stops propagation hides nothing; with
   * `last`, in the bubble phase, after everybody else.
   */
  // The caller knows which events its types are.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  <E extends Event>(
    types: string,
    handler: (event: E) => void,
    last?: boolean,
    target?: EventTarget,
  ): void;
}

let stopper = /* @__PURE__ */ new AbortController();

export const listen: Listen = (types, handler, last, target = window) => {
  for (const type of types.split(' ')) {
    target.addEventListener(type, safely(handler) as EventListener, {
      signal: stopper.signal,
      capture: !last,
    });
  }
};

/** Takes all listeners away. */
export const unlisten = (): void => {
  stopper.abort();
  stopper = new AbortController();
};

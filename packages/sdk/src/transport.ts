/**
 * Brings the queue to the collector, at least once.
 *
 * While the page lives, one body at a time goes by fetch, and its answer decides: settled lines
 * leave the queue, everything else is retried with back-off. When the page may go (hidden,
 * pagehide) there is no answer to wait for: the same lines go by fetchLater, else sendBeacon,
 * and stay in storage until a later answer settles them.
 *
 * The fetch is none with `keepalive`: WebKit never settles one that is in flight when a click
 * starts a download, and what it would keep alive leaves once more with the page anyway.
 */
import { remove, take } from './queue.ts';

/** Four bodies fit into the 64 KiB that all beacons of a page share. */
export const bodyCharsMax = 16_000;
/** A batch waits this long, and after each failure in a row twice as long. */
export const batchMs = 4_000;
export const retryMsMax = 60_000;
/** A collector that has not answered by then never will. */
export const answerMsMax = 30_000;

let url: string;
let prepare: () => boolean | undefined;
let charsMax = bodyCharsMax;
let failures = 0;
/** Of the next batch, 0 while none is due. */
let timer: unknown = 0;
let sending: Promise<void> | 0 = 0;

/** `ready` is asked before each body whether anything may be sent. */
export const connect = (to: string, ready: () => boolean | undefined): void => {
  url = to;
  prepare = ready;
};

/** Sends the next batch when it is due. */
export const schedule = (): void => {
  timer ||= setTimeout(
    () => {
      timer = 0;
      void flush();
    },
    Math.min(batchMs * 2 ** failures, retryMsMax),
  );
};

/** Sends at once, unless the collector wants us to wait. */
export const hurry = (): void => {
  if (!failures) void flush();
};

/** Sends until the queue is empty or the collector says later; never rejects. */
export const flush = (): Promise<void> =>
  (sending ||= drain().finally(() => {
    sending = 0;
  }));

/** The page may be gone after this call. */
export const depart = (): void => {
  for (let from = 0, lines; prepare() && (lines = take(charsMax, from))[0]; from += lines.length) {
    try {
      fetchLater(url, request(lines));
    } catch {
      navigator.sendBeacon(url, request(lines).body as string);
    }
    schedule();
  }
};

const drain = async (): Promise<void> => {
  for (let lines; prepare() && (lines = take(charsMax))[0];) {
    try {
      const { status } = await fetch(url, request(lines));
      if (status === 413 && lines[1]) charsMax /= 2;
      // A 408 or 429 says later, and a 200 is of somebody else: a login, say, that a proxy leads to.
      else if (/202|4(?!08|29)../.test(String(status))) {
        failures = 0;
        // The collector itself counts what it answers with 400.
        remove(lines, status > 400);
      } else throw status;
    } catch {
      failures++;
      return schedule();
    }
  }
};

/** https://developer.mozilla.org/docs/Web/API/fetchLater_API, in Chromium only. */
type LaterInit = RequestInit & { activateAfter: number };
declare const fetchLater: (url: string, init: LaterInit) => unknown;

/**
 * A JSON array of the lines; by `sent` on the first the collector sees a wrong clock. A string goes
 * as text/plain, which needs no preflight.
 */
const request = (lines: readonly string[]): LaterInit => ({
  method: 'POST',
  // Safari 15 waits for as long as it takes.
  signal: AbortSignal.timeout?.(answerMsMax),
  body: `[{"sent":${Date.now()},${lines.join().slice(1)}]`,
  // At once, and by the browser if the page is gone.
  activateAfter: 0,
});

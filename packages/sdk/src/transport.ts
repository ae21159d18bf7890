/**
 * Brings the queue to the collector, at least once.
 *
 * While the page lives, one body at a time goes by fetch, and its answer decides: settled lines
 * leave the queue, everything else is retried with back-off. When the page may go (hidden,
 * pagehide) there is no answer to wait for: the same lines go by fetchLater, else sendBeacon,
 * and stay in storage until a later answer settles them.
 */
import { listen, type Stop } from './lib/listen.ts';
import type { Queue } from './queue.ts';

/** Four bodies fit into the 64 KiB that all keepalive requests of a page share. */
export const bodyCharsMax = 16_000;
export const batchMs = 5_000;
/** A view waits this long for its title, its item, or a redirect by `replaceState`. */
export const settleMs = 100;
const retryMsMin = 1_000;
const retryMsMax = 300_000;

/** A JSON array of the lines; `sent` on the first lets the collector see a wrong clock. */
export const toBody = (lines: readonly string[], sent?: number): string =>
  `[${sent ? `{"sent":${sent},${lines.join().slice(1)}` : lines.join()}]`;

export interface Transport {
  /** Queues one event; it goes with the next batch. */
  _send(line: string): void;
  /** Sends after `delayMs` at the latest, unless the collector wants us to wait. */
  _schedule(delayMs: number): void;
  /** Sends until the queue is empty or the collector says later. */
  _flush(): Promise<void>;
  /** The page may be gone after this call. */
  _leave(): void;
  /** Nothing is sent or stored before it is called with true. */
  _allow(allowed: boolean): void;
  _stop: Stop;
}

interface FetchLater {
  (url: string, init: RequestInit): unknown;
}

export const createTransport = (
  url: string,
  queue: Queue,
  prepare: () => void,
  onDropped: (count: number) => void,
): Transport => {
  let allowed = false;
  let charsMax = bodyCharsMax;
  let failures = 0;
  let timer = 0;
  let dueMs = 0;
  let saving = 0;
  let sending: Promise<void> | undefined;
  let deferred: AbortController | undefined;

  const post = async (lines: readonly string[]): Promise<number> => {
    try {
      const response = await fetch(url, request(toBody(lines, Date.now())));
      return response.status;
    } catch {
      return 0;
    }
  };

  const drain = async (): Promise<void> => {
    if (allowed) prepare();
    for (let lines: string[]; allowed && (lines = queue._take(charsMax))[0];) {
      const status = await post(lines);
      if (status === 413 && lines[1]) {
        charsMax /= 2;
      } else if (status < 200 || status === 408 || status === 429 || status > 499) {
        transport._schedule(
          Math.min(retryMsMin * 2 ** failures++, retryMsMax) * (0.5 + Math.random()),
        );
        return;
      } else {
        failures = 0;
        queue._remove(lines);
        if (status > 400) queue._dropped += lines.length;
        else if (queue._dropped) {
          onDropped(queue._dropped);
          queue._dropped = 0;
        }
        queue._save();
      }
    }
    deferred?.abort();
  };

  const transport: Transport = {
    _send(line) {
      queue._add(line);
      saving ||= setTimeout(() => {
        saving = 0;
        if (allowed) queue._save();
      });
      transport._schedule(batchMs);
    },
    _schedule(delayMs) {
      const atMs = Date.now() + delayMs;
      if (timer && (failures || atMs >= dueMs)) return;
      clearTimeout(timer);
      dueMs = atMs;
      timer = setTimeout(() => {
        timer = 0;
        void transport._flush();
      }, delayMs);
    },
    _flush: () =>
      (sending ??= drain().finally(() => {
        sending = undefined;
      })),
    _leave() {
      if (allowed) prepare();
      if (!allowed) return;
      queue._save();
      deferred?.abort();
      deferred = new AbortController();
      let later = false;
      for (
        let from = 0, lines: string[];
        (lines = queue._take(charsMax, from))[0];
        from += lines.length
      ) {
        try {
          (globalThis as unknown as { fetchLater: FetchLater }).fetchLater(url, {
            ...request(toBody(lines)),
            signal: deferred.signal,
          });
          later = true;
        } catch {
          if (!navigator.sendBeacon(url, toBody(lines, Date.now()))) break;
        }
      }
      if (later) void transport._flush();
      else transport._schedule(batchMs);
    },
    _allow(value) {
      allowed = value;
      transport._schedule(settleMs);
    },
    _stop: listen(globalThis, 'online', () => {
      failures = 0;
      transport._schedule(0);
    }),
  };
  return transport;
};

const request = (body: string): RequestInit => ({
  method: 'POST',
  body,
  keepalive: true,
  credentials: 'omit',
});

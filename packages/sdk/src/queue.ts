/**
 * Events on their way: lines of JSON, oldest first, in memory and mirrored in localStorage.
 *
 * Invariants
 * - A line stays until the collector has answered for it; it is never changed, so every retry
 *   carries the same id and time, and the collector keeps one.
 * - Each page owns one storage key. A later page takes over the keys of others: it first saves
 *   the lines under its own key, then removes theirs. An owner that is still alive hears of the
 *   removal by the `storage` event and lets go.
 * - What does not fit is dropped from the old end and counted; the count lives in storage too.
 */
import { listen, type Stop } from './lib/listen.ts';
import { newId } from './lib/new-id.ts';

/** Roughly 600 events: a day without the collector, within a tenth of localStorage's quota. */
export const queueCharsMax = 256_000;

export interface Queue {
  /** Lines that were given up since the last `_settle` of a `dropped` event. */
  _dropped: number;
  _add(line: string): void;
  /** At least one line from `from` on, as many more as fit into `charsMax`. */
  _take(charsMax: number, from?: number): string[];
  _remove(lines: readonly string[]): void;
  /** Mirrors the lines to storage; silent where storage is denied or full. */
  _save(): void;
  /** Takes over what other pages of this origin left behind. */
  _adopt(): void;
  _stop: Stop;
}

export const createQueue = (prefix: string): Queue => {
  const key = prefix + newId();
  let lines: string[] = [];
  let stored = false;

  const push = (added: string[]): void => {
    lines = lines.concat(added);
    let chars = lines.join().length;
    while (chars > queueCharsMax) {
      chars -= (lines.shift() as string).length + 1;
      queue._dropped++;
    }
  };

  const queue: Queue = {
    _dropped: 0,
    _add: (line) => push([line]),
    _take(charsMax, from = 0) {
      let end = from;
      let chars = 0;
      while (
        end < lines.length &&
        ((chars += (lines[end] as string).length + 1) < charsMax || end === from)
      ) {
        end++;
      }
      return lines.slice(from, end);
    },
    _remove(gone) {
      lines = lines.filter((line) => !gone.includes(line));
    },
    _save() {
      try {
        if (lines[0] || queue._dropped) {
          localStorage.setItem(key, [queue._dropped, ...lines].join('\n'));
          stored = true;
        } else if (stored) {
          localStorage.removeItem(key);
          stored = false;
        }
      } catch {
        // Denied or full: the lines are still in memory.
      }
    },
    _adopt() {
      try {
        for (const other of Object.keys(localStorage)) {
          if (other !== key && other.startsWith(prefix)) {
            const [dropped, ...found] = (localStorage.getItem(other) as string).split('\n');
            queue._dropped += Number(dropped) || 0;
            push(found);
            queue._save();
            localStorage.removeItem(other);
          }
        }
      } catch {
        // Denied: there is nothing to take over.
      }
    },
    _stop: listen<StorageEvent>(globalThis, 'storage', (event) => {
      if (event.key === key && event.oldValue && !event.newValue) {
        queue._remove(event.oldValue.split('\n'));
      }
    }),
  };
  return queue;
};

/**
 * Events on their way, as lines of JSON: in memory, and in localStorage as a set of keys that all
 * pages of the origin share.
 *
 * - A line never changes, so every retry carries the same id and time, and the collector keeps
 *   one.
 * - Any page may deliver any line: a page takes over what it finds in storage when it opens, and
 *   whoever gets the answer removes the line. Two pages may send one line; the collector keeps one.
 * - What does not fit is dropped, the newest first, and counted.
 */
import { safely } from './lib/safely.ts';

/**
 * Roughly 600 events: a day without the collector, in a twentieth of localStorage's quota. As
 * much again is kept free for the reports of what did not fit.
 */
export const queueCharsMax = 256_000;
/** Fits into the 64 KiB of a keepalive request even where each character takes three bytes. */
export const lineCharsMax = 16_000;

let lines: string[] = [];
/** Events given up, and not reported yet. */
export const losses: { _count: number } = { _count: 0 };
/** Of the keys in localStorage; nothing is stored before it is known. */
let prefix = '';

const save = safely((line: string) => {
  if (prefix) localStorage[prefix + line] = '';
});

/** With `urgent`, into the half that is kept free. */
export const add = (line: string, urgent: boolean): void => {
  if (line.length > lineCharsMax || lines.join().length > queueCharsMax << Number(urgent)) {
    losses._count++;
  } else {
    lines.push(line);
    save(line);
  }
};

/** At least one line from `from` on, as many more as fit into `charsMax`. */
export const take = (charsMax: number, from?: number): string[] => {
  let chars = 0;
  return lines.slice(from).filter((line, index) => (chars += line.length) < charsMax || !index);
};

/** The collector has answered for these lines, or they are `lost`. */
export const remove: (settled: readonly string[], lost?: boolean) => void = safely(
  (settled: readonly string[], lost?: boolean) => {
    lines = lines.filter((line) => !settled.includes(line));
    if (lost) losses._count += settled.length;
    for (const line of settled) delete localStorage[prefix + line];
  },
);

/**
 * Uses storage from now on, where the browser allows it: saves what is in memory, takes over what
 * other pages left. `url` is where the lines go. True if the visitor has said no, once or in another
 * tab.
 */
export const openStorage: (url: string) => boolean | undefined = safely((url: string) => {
  if (!prefix) {
    prefix = url;
    for (const key in localStorage) {
      if (key.startsWith(prefix)) lines.push(key.slice(prefix.length));
    }
    lines.forEach(save);
  }
  return localStorage.metronome === 'denied';
});

/** The visitor wants none sent: of what goes to `url`, nothing stays in memory or storage. */
export const forget = (url: string): void => {
  lines = [];
  prefix = '';
  openStorage(url);
  remove(lines);
};

/** Keeps the visitor's answer, and nothing by which to know the visitor. */
export const rememberConsent: (consent: string) => void = safely((consent: string) => {
  localStorage.metronome = consent;
});

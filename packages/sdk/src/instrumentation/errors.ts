/**
 * Uncaught errors and unhandled rejections.
 *
 * The first of a kind is sent as it happens; its repeats are counted and reported in one event
 * (`count`) when the page may go. What a page's owner cannot mend is marked as `noise`.
 */
import type { Instrumentation } from '../instrumentation.ts';
import { all, listen } from '../lib/listen.ts';
import type { EventRecord } from '../options.ts';

/** Different errors of one page view; a page in a bad loop has nothing new to say after that. */
export const errorsMax = 20;
export const stackCharsMax = 2_000;
const messageCharsMax = 500;

export const errors: Instrumentation = (emit, _options, { onLeave }) => {
  let repeats = new Map<string, { fields: EventRecord; count: number }>();

  const report = (error: unknown, message: string, fields: EventRecord): void => {
    const stack = String((error as Error | undefined)?.stack ?? '').slice(0, stackCharsMax);
    const text = message.slice(0, messageCharsMax);
    const key = text + fields.source + fields.line;
    const known = repeats.get(key);
    if (known) known.count++;
    else if (repeats.size < errorsMax) {
      const noise = noiseOf(text, stack + fields.source);
      const found = { message: text, stack: stack || undefined, noise, ...fields };
      repeats.set(key, { fields: found, count: 0 });
      emit('error', found);
    }
  };

  onLeave((ended) => {
    for (const known of repeats.values()) {
      if (known.count) emit('error', { ...known.fields, count: known.count });
      known.count = 0;
    }
    if (ended) repeats = new Map();
  });

  return all(
    listen<ErrorEvent>(globalThis, 'error', ({ error, message, filename, lineno, colno }) => {
      // Without a message it is a resource that failed to load.
      if (message) report(error, message, { source: filename, line: lineno, column: colno });
    }),
    listen<PromiseRejectionEvent>(globalThis, 'unhandledrejection', ({ reason }) => {
      report(reason, String(reason), { kind: 'rejection' });
    }),
  );
};

const noiseOf = (message: string, where: string): string | undefined =>
  /-extension:/.test(where)
    ? 'extension'
    : /^script error/i.test(message)
      ? 'cross-origin'
      : undefined;

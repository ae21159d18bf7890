import { hash } from 'node:crypto';

/**
 * Where a line of the journal goes, so that a later retry of the event meets its twin whatever the
 * correction of the client's clock makes of it then.
 *
 * - With `event.id`, the document's id is a hash of (app, id, client time); without, of its place
 *   in the journal.
 * - Its index is the UTC day of the client's own time `event.created`; without one, of its receipt.
 * - A clock that is wrong by months or ahead by days must not make indices from 1970 to 2106: then
 *   the day is that of the corrected time. (An import of old events is not corrected.)
 * - Where a twin can lie elsewhere, `elsewhere` lists the days to look at first: without client
 *   time the day before the receipt; with one that is ahead or far off, those of the other rule.
 */
export interface Identity {
  /** Of the document. */
  readonly id: string;
  /** UTC day of its index, `YYYY-MM-DD`. */
  readonly day: string;
  readonly elsewhere: readonly string[];
  /** Keys of the application that are numbers here. */
  readonly numbers: readonly string[];
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Client times from so long before the receipt to so long after it have an index of their own. */
const BEHIND_MAX_MS = 90 * DAY_MS;
const AHEAD_MAX_MS = DAY_MS;

/** ISO 8601 with a year of four digits. */
const TIME_MAX_MS = Date.UTC(9_999, 11, 31);

/** 120 bits; Elasticsearch stores ids of whole base64 groups in three quarters of their length. */
const ID_LENGTH = 20;

/** Undefined for a line that no intake can have written: no object, or without its times. */
export function identify(line: string, collector: string, sequence: number): Identity | undefined {
  const event = parse(line);
  if (event === undefined) return undefined;
  const time = epochMs(event['@timestamp']);
  const received = epochMs(event['event.ingested']);
  if (time === undefined || received === undefined) return undefined;
  const created = epochMs(event['event.created']);
  const id = event['event.id'];
  const isPlace = typeof id !== 'string';
  const key = isPlace
    ? hashOf([collector, sequence])
    : hashOf([event['service.name'], id, event['event.created'] ?? '']);
  const numbers = Object.keys(event['metrics'] ?? {});
  const place = (at: number, ...elsewhere: readonly number[]): Identity => {
    const day = dayOf(at);
    const others = new Set(elsewhere.map(dayOf));
    others.delete(day);
    return { id: key, day, elsewhere: [...others], numbers };
  };
  if (created === undefined) return isPlace ? place(received) : place(received, received - DAY_MS);
  const skew = received - created;
  const usable = skew >= -AHEAD_MAX_MS && (skew <= BEHIND_MAX_MS || created === time);
  if (isPlace || (usable && skew >= -HOUR_MS)) return place(usable ? created : time);
  return place(usable ? created : time, created, time - DAY_MS, time, time + HOUR_MS);
}

function dayOf(at: number): string {
  return new Date(Math.max(0, at)).toISOString().slice(0, 10);
}

function hashOf(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, ID_LENGTH);
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function epochMs(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return at >= 0 && at < TIME_MAX_MS ? at : undefined;
}

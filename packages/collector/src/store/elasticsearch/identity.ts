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
  /** UTC day of its index, `YYYY.MM.DD`. */
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
  const times = event === undefined ? undefined : timesOf(event);
  if (event === undefined || times === undefined) return undefined;
  const { 'event.id': id, 'event.created': created = '', 'service.name': app } = event;
  const day = dayOf(homeOf(times));
  const numbers = Object.keys(event['metrics'] ?? {});
  if (typeof id !== 'string') {
    return { id: hashOf([collector, sequence]), day, elsewhere: [], numbers };
  }
  const others = otherHomesOf(times).map(dayOf);
  const elsewhere = [...new Set(others)].filter((other) => other !== day);
  return { id: hashOf([app, id, created]), day, elsewhere, numbers };
}

/** Epoch ms. */
interface Times {
  readonly time: number;
  readonly received: number;
  readonly created: number | undefined;
}

function timesOf(event: Readonly<Record<string, unknown>>): Times | undefined {
  const time = epochMs(event['@timestamp']);
  const received = epochMs(event['event.ingested']);
  if (time === undefined || received === undefined) return undefined;
  return { time, received, created: epochMs(event['event.created']) };
}

/** The time whose day the event's index is of. */
function homeOf({ time, received, created }: Times): number {
  if (created === undefined) return received;
  const behind = received - created;
  const corrected = created !== time;
  return behind < -AHEAD_MAX_MS || (corrected && behind > BEHIND_MAX_MS) ? time : created;
}

/** Times whose days a twin can be of that came earlier or later. */
function otherHomesOf(times: Times): readonly number[] {
  const { time, received, created } = times;
  if (created === undefined) return [received - DAY_MS];
  const certain = homeOf(times) === created && created - received <= HOUR_MS;
  return certain ? [] : [created, time - DAY_MS, time, time + HOUR_MS];
}

/** Nearly all events of a batch are of one day, so its name is kept. */
let lastDay = Number.NaN;
let lastName = '';

function dayOf(at: number): string {
  const day = Math.floor(Math.max(0, at) / DAY_MS);
  if (day !== lastDay) {
    lastDay = day;
    lastName = new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '.');
  }
  return lastName;
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

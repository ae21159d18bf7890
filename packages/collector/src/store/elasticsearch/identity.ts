import { hash } from 'node:crypto';
import { type EventTimes, filedTime } from '../../filed-time.ts';
import { type Facts, readFacts } from './facts.ts';

/**
 * Where a line of the journal goes, so that a later retry of the event meets its twin whatever the
 * correction of the client's clock makes of it then.
 *
 * - With `event.id`, the document's id is a hash of (app, id, client time); without, of its place
 *   in the journal. An `event.id` that is the name of a place stands for that place.
 * - Its index is the UTC day of its `filedTime`.
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

/** ISO 8601 with a year of four digits. */
const TIME_MAX_MS = Date.UTC(9_999, 11, 31);

/** 120 bits; Elasticsearch stores ids of whole base64 groups in three quarters of their length. */
const ID_LENGTH = 20;

/** Undefined for a line that no intake can have written: no object, or without its times. */
export function identify(line: Buffer, collector: string, sequence: number): Identity | undefined {
  const facts = readFacts(line);
  if (facts === undefined) return undefined;
  const { name, firstPlace, numbers } = facts;
  const times = timesOf(facts);
  if (times === undefined) return undefined;
  const day = dayOf(filedTime(times));
  if (name === undefined || firstPlace !== undefined) {
    const place = firstPlace ?? { collector, sequence };
    const text = JSON.stringify([place.collector, place.sequence]);
    return { id: hashOf(text), day, elsewhere: NOWHERE, numbers };
  }
  return { id: hashOf(name), day, elsewhere: elsewhereOf(times, day), numbers };
}

const NOWHERE: readonly string[] = [];

function elsewhereOf(times: EventTimes, home: string): readonly string[] {
  const others = otherHomesOf(times);
  if (others.length === 0) return NOWHERE;
  return [...new Set(others.map(dayOf))].filter((day) => day !== home);
}

function timesOf(facts: Facts): EventTimes | undefined {
  const received = receiptMs(facts.received);
  const time = epochMs(facts.time);
  if (time === undefined || received === undefined) return undefined;
  const created = facts.created === facts.time ? time : epochMs(facts.created);
  return { time, received, created };
}

/** Times whose days a twin can be of that came earlier or later. */
function otherHomesOf(times: EventTimes): readonly number[] {
  const { time, received, created } = times;
  if (created === undefined) return [received - DAY_MS];
  // Of a clock that is corrected by so much now, an earlier arrival may have been filed otherwise.
  const isNear = created - received <= HOUR_MS && created - time <= DAY_MS - HOUR_MS;
  const certain = filedTime(times) === created && isNear;
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

function hashOf(name: string): string {
  return hash('sha256', name, 'base64url').slice(0, ID_LENGTH);
}

/** Of the events of one request, which follow each other, the receipt is one text. */
let lastReceipt: unknown;
let lastReceived: number | undefined;

function receiptMs(text: unknown): number | undefined {
  if (text !== lastReceipt) {
    lastReceipt = text;
    lastReceived = epochMs(text);
  }
  return lastReceived;
}

function epochMs(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return at >= 0 && at < TIME_MAX_MS ? at : undefined;
}

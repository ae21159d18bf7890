import type { Filter, Row } from '../query/query.ts';
import type { Scan } from '../query/scan.ts';
import { allOf } from './filters.ts';
import type { Asked, Reader } from './statistic.ts';

export interface SampleLimits {
  readonly visitorsMax: number;
  readonly eventsMax: number;
}

/** What is read at most for one answer; of more, the newest visitors are a sample. */
export const SAMPLE_LIMITS = {
  visitorsMax: 10_000,
  eventsMax: 200_000,
} as const satisfies SampleLimits;

/** A visitor's events with smaller gaps are one session. */
export const SESSION_GAP_MS = 30 * 60_000;

/** What some visitors did. */
export interface Histories {
  /** The events of each visitor, in order of time. */
  readonly visitors: readonly (readonly Row[])[];
  /** There are more visitors. */
  readonly isSample: boolean;
}

export type HistoryScan = Pick<Scan, 'fields' | 'filter' | 'range' | 'marks'> & {
  /** Only visitors that have such an event. */
  readonly having: Filter;
};

/**
 * Reads the events of the newest visitors concerned, within `SAMPLE_LIMITS`: all of each, but of one
 * who alone has most of so many those that were read, its earliest.
 */
export async function readHistories(
  store: Reader,
  { having, fields, ...scan }: HistoryScan,
  { visitorsMax, eventsMax }: SampleLimits = SAMPLE_LIMITS,
): Promise<Histories> {
  const visitors = new Map<string, Row[]>();
  let events = 0;
  const rows = store.scan({
    ...scan,
    fields: ['visitor', ...fields],
    // One more than are read tells that there are more.
    visitors: { having, limit: visitorsMax + 1 },
    limit: eventsMax + 1,
  });
  for await (const row of rows) {
    events++;
    const visitor = String(row['visitor']);
    const own = visitors.get(visitor);
    if (own) own.push(row);
    else visitors.set(visitor, [row]);
  }
  const histories = [...visitors.values()];
  const isSample = events > eventsMax || histories.length > visitorsMax;
  // The last visitor may have been cut off within, and goes, unless nearly all would go with it.
  const last = histories.at(-1) ?? [];
  const isPart = events > eventsMax && 2 * last.length <= events;
  const whole = isPart ? histories.slice(0, -1) : histories;
  return { visitors: whole.slice(0, visitorsMax), isSample };
}

/** What an answer says of itself where not all visitors were read; nothing where all were. */
export async function sampleNote(
  store: Reader,
  { visitors, isSample }: Histories,
  { range }: Asked,
  having: Filter,
): Promise<{ readonly sample?: { readonly visitors: number; readonly of: number } }> {
  if (!isSample) return {};
  const [row] = await store.query({
    measures: { n: { kind: 'distinct', field: 'visitor' } },
    filter: allOf(having),
    range,
  });
  return { sample: { visitors: visitors.length, of: Number(row?.['n']) } };
}

/**
 * A visitor's events in sessions: the application's own where it gives them (`session`), else
 * split where nothing happened for 30 minutes. The rows have `time` and `session`.
 */
export function sessionsOf(events: readonly Row[]): readonly (readonly Row[])[] {
  const given = new Map<Row[string], Row[]>();
  const split: Row[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const event of events) {
    const { session = null } = event;
    if (session !== null) {
      const own = given.get(session);
      if (own) own.push(event);
      else given.set(session, [event]);
      continue;
    }
    const time = Number(event['time']);
    if (time - last < SESSION_GAP_MS) split.at(-1)?.push(event);
    else split.push([event]);
    last = time;
  }
  return [...given.values(), ...split];
}

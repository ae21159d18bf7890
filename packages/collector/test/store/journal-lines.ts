import type { Batch } from '../../src/event-store.ts';
import type { JournaledEvent, StoredEvent } from '../../src/event.ts';

/** An event at rest: a view in `app` that was received when it happened. */
export function eventAt(time: string, app: string, fields: Partial<StoredEvent> = {}): StoredEvent {
  return {
    '@timestamp': time,
    '@version': '1',
    'event.ingested': time,
    'event.action': 'view',
    'service.name': app,
    ...fields,
  };
}

/** The events as delivery reads them back from a journal: each with its place. */
export function journaled(
  collector: string,
  first: number,
  events: readonly StoredEvent[],
  segment = 1,
): readonly JournaledEvent[] {
  return events.map((event, index) => ({
    'journal.collector': collector,
    'journal.segment': segment,
    'journal.sequence': first + index,
    ...event,
  }));
}

/** A batch of consecutive events of one segment, as delivery hands it to a store. */
export function batchOf(
  collector: string,
  first: number,
  events: readonly StoredEvent[],
  segment = 1,
): Batch {
  const lines = journaled(collector, first, events, segment).map((event) => JSON.stringify(event));
  return batchOfLines(collector, first, lines, segment);
}

/** A batch of raw lines, for what no intake would write. */
export function batchOfLines(
  collector: string,
  first: number,
  lines: readonly string[],
  segment = 1,
): Batch {
  return {
    collector,
    segment,
    first,
    last: first + lines.length - 1,
    lines: Buffer.from(lines.map((line) => `${line}\n`).join('')),
  };
}

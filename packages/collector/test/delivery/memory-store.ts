import { strict as assert } from 'node:assert';
import { MetronomeError } from '../../src/errors.ts';
import type {
  Appended,
  Batch,
  EventStore,
  KeepRejects,
  PlaceCount,
  Reject,
  Tally,
} from '../../src/event-store.ts';

/**
 * How a call of `append` goes wrong: before anything happened, after some events are stored, or
 * after everything is, with the answer lost.
 */
export type Trouble = 'before' | 'between' | 'after' | 'bug';

interface Event {
  readonly 'journal.sequence': number;
  readonly 'event.id': string;
  /** The store rejects this one. */
  readonly bad?: true;
  /** No batch with this one in it can be taken. */
  readonly poison?: true;
}

/**
 * The contract of `EventStore` in the plainest form, for faults that no engine makes on demand.
 * Like Elasticsearch it commits events before cursor and tally, and takes a batch while the one
 * before it is under way; one journal only.
 */
export class MemoryStore implements Pick<
  EventStore,
  'appendsAtOnce' | 'cursor' | 'append' | 'tallies' | 'places' | 'refresh'
> {
  /** Sequence of the stored event, by its id. */
  readonly events = new Map<string, number>();
  readonly #tallies = new Map<number, Tally>();
  #cursor = 1;
  readonly appendsAtOnce = 2;
  #troubles: Trouble[] = [];
  #last: Promise<unknown> = Promise.resolve();
  readonly calls: { first: number; last: number }[] = [];

  /** The next calls of `append` go wrong. */
  plan(...troubles: Trouble[]): void {
    this.#troubles.push(...troubles);
  }

  heal(): void {
    this.#troubles = [];
  }

  /** Loses an event, for `audit` to find. */
  lose(sequence: number): void {
    for (const [id, at] of this.events) if (at === sequence) this.events.delete(id);
  }

  async cursor(): Promise<number> {
    // Nobody waits for what a killed process was about to do.
    this.#last = Promise.resolve();
    return this.#cursor;
  }

  append(batch: Batch, keepRejects: KeepRejects): Promise<Appended> {
    const before = this.#last;
    const appended = this.#append(batch, keepRejects, before);
    this.#last = Promise.allSettled([before, appended]);
    return appended;
  }

  async #append(
    batch: Batch,
    keepRejects: KeepRejects,
    before: Promise<unknown>,
  ): Promise<Appended> {
    this.calls.push({ first: batch.first, last: batch.last });
    const trouble = this.#troubles.shift();
    if (trouble === 'before') throw unavailable();
    if (trouble === 'bug') throw new TypeError('a bug');
    const events = parse(batch);
    const half = events.slice(0, Math.floor(events.length / 2));
    if (events.some(({ poison }) => poison)) {
      this.#store(half);
      throw new MetronomeError('bad-request', 'Poison.');
    }
    if (trouble === 'between') {
      this.#store(half);
      throw unavailable();
    }
    const counts = this.#store(events);
    await before;
    if (batch.first > this.#cursor) throw unavailable();
    assert.equal(batch.first, this.#cursor, 'a batch begins at the cursor');
    const rejects = events.filter(({ bad }) => bad).map(reject);
    if (rejects.length > 0) await keepRejects(rejects);
    const appended = this.#commit(batch, counts);
    if (trouble === 'after') throw unavailable();
    return appended;
  }

  async tallies(): Promise<readonly Tally[]> {
    return [...this.#tallies.values()];
  }

  async places(
    _collector: string,
    ranges: readonly Omit<PlaceCount, 'stored'>[],
  ): Promise<readonly PlaceCount[]> {
    const sequences = [...this.events.values()];
    return ranges.map(({ first, last }) => {
      const stored = sequences.filter((sequence) => sequence >= first && sequence <= last).length;
      return { first, last, stored };
    });
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  #store(events: readonly Event[]): { stored: number; duplicates: number } {
    const counts = { stored: 0, duplicates: 0 };
    for (const { 'event.id': id, 'journal.sequence': sequence, bad, poison } of events) {
      if (bad || poison) continue;
      const at = this.events.get(id) ?? sequence;
      this.events.set(id, at);
      if (at === sequence) counts.stored += 1;
      else counts.duplicates += 1;
    }
    return counts;
  }

  #commit(
    { segment, first, last }: Batch,
    { stored, duplicates }: { stored: number; duplicates: number },
  ): Appended {
    const rejected = last - first + 1 - stored - duplicates;
    const before = this.#tallies.get(segment);
    this.#tallies.set(segment, {
      segment,
      last,
      stored: (before?.stored ?? 0) + stored,
      duplicates: (before?.duplicates ?? 0) + duplicates,
      rejected: (before?.rejected ?? 0) + rejected,
      erased: 0,
      expired: 0,
    });
    this.#cursor = last + 1;
    return { stored, duplicates, rejected };
  }
}

function parse({ lines, first, last }: Batch): Event[] {
  const events = lines
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
  assert.ok(events.length === 0 || events.length === last - first + 1);
  for (const [at, event] of events.entries()) assert.equal(event['journal.sequence'], first + at);
  return events;
}

function reject({ 'journal.sequence': sequence }: Event): Reject {
  return { sequence, reason: 'Bad.' };
}

function unavailable(): MetronomeError {
  return new MetronomeError('unavailable', 'The store is away.');
}

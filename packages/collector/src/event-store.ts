import type { Query, Row } from './query/query.ts';

/**
 * Consecutive events of one journal, as delivery hands them to a store. `lines` is NDJSON: each
 * line a `JournaledEvent`, every line ended by `\n`. The store must not keep the buffer.
 */
export interface Batch {
  readonly collector: string;
  /** Sequence of the first line. */
  readonly first: number;
  /** Sequence of the last line; `last - first + 1` lines. */
  readonly last: number;
  readonly lines: Buffer;
}

/** What became of a batch: every event is counted in exactly one of the three. */
export interface Appended {
  /** Events that are in the store because of this journal place. */
  readonly stored: number;
  /** Events whose twin (same app, id and client time) is in the store from another place. */
  readonly duplicates: number;
  /** Events that the store can never take, each with its reason. */
  readonly rejects: readonly Reject[];
}

export interface Reject {
  readonly sequence: number;
  /** A sentence, without the event's own values. */
  readonly reason: string;
}

/** Which events to erase or export; all given parts must hold. At least one is given. */
export interface Selection {
  readonly app?: string;
  readonly visitor?: string;
  readonly item?: string;
  /** Epoch ms, inclusive. */
  readonly from?: number;
  /** Epoch ms, exclusive. */
  readonly to?: number;
}

/** How many events of a journal a store holds, by ranges of sequences. */
export interface PlaceCount {
  readonly first: number;
  readonly last: number;
  readonly stored: number;
}

/**
 * A place that keeps events and answers queries. Two adapters, one conformance suite
 * (`test/store/conformance.ts`); no caller knows which one it holds.
 *
 * Errors: every method throws `MetronomeError` `unavailable` when the engine cannot be reached or
 * refuses for now (then nothing of the call may be assumed), and never a partial answer.
 */
export interface EventStore {
  /** Next sequence that this store needs of a journal: 1 for one that it has never seen. */
  cursor(collector: string): Promise<number>;
  /**
   * Takes a batch and moves the cursor past it, atomically where the engine can, else so that a
   * second call with the same events ends in the same state and the same counts. A batch may
   * overlap what is stored already (after a crash); those events count as stored again.
   * One call at a time for one journal.
   */
  append(batch: Batch): Promise<Appended>;
  /** Rows in the query's order. Throws `bad-request` for a field that cannot do what is asked. */
  query(query: Query): Promise<readonly Row[]>;
  /** The compiled query as the engine gets it: SQL, or a search body as JSON. */
  explain(query: Query): string;
  /** Counts what is stored of a journal, for `audit`. */
  places(
    collector: string,
    ranges: readonly Omit<PlaceCount, 'stored'>[],
  ): Promise<readonly PlaceCount[]>;
  /** Erases for good and returns how many events went. */
  erase(selection: Selection): Promise<number>;
  /** The selected events as at rest, oldest first. */
  export(selection: Selection): AsyncIterable<Record<string, unknown>>;
  /** Makes everything appended so far visible to `query`. */
  refresh(): Promise<void>;
  /** Resolves when the engine can take and answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

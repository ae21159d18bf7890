import type { Query, Row } from './query/query.ts';
import type { Scan } from './query/scan.ts';

/**
 * Consecutive events of one segment of a journal, as delivery hands them to a store. `lines` is
 * NDJSON: each line a `JournaledEvent`, every line ended by `\n`. The store must not keep the
 * buffer. No lines at all: delivery has found that the store can never take these events and has
 * kept them as rejects; only the cursor and the tally move.
 */
export interface Batch {
  readonly collector: string;
  /** `journal.segment` of every line: a batch never crosses segments. */
  readonly segment: number;
  /** Sequence of the first line: the store's cursor. */
  readonly first: number;
  /** Sequence of the last line; `last - first + 1` lines, or none. */
  readonly last: number;
  readonly lines: Buffer;
}

/** What became of a batch: every event is counted in exactly one of the three. */
export interface Appended {
  /** Events that are in the store because of this journal place. */
  readonly stored: number;
  /**
   * Events whose twin is in the store from another place: one of the same app, id and client time,
   * or one without id from the place that the id is the name of (`placeName`).
   */
  readonly duplicates: number;
  /** Events that the store can never take: `last - first + 1 - stored - duplicates`. */
  readonly rejected: number;
}

/**
 * Makes rejects durable, idempotent by sequence. The store awaits it before it commits the cursor,
 * so that no crash loses a reject; it need not call it when there are none.
 */
export type KeepRejects = (rejects: readonly Reject[]) => Promise<void>;

/**
 * What became of the delivered events of one segment, summed over its batches. The store adds
 * each batch in the same commit that moves the cursor, so that a redelivery after a crash is
 * never counted twice. Kept for ever: it is what `audit` checks the store against.
 */
export interface Tally {
  readonly segment: number;
  /** Sequence of the last delivered event; the first is `segment`. */
  readonly last: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Of the stored: taken out since by `erase`; counted in the commit that takes them out. */
  readonly erased: number;
  /** Of the stored: taken out since by retention, likewise. */
  readonly expired: number;
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

/** How far a rollup is: counts of events, from which some questions are answered. */
export interface RollupProgress {
  /** The declared query that it is for, or several; `tock` for those that every store keeps. */
  readonly name: string;
  /** Events in the store, and those of them that are counted; the others are read as they are. */
  readonly events: number;
  readonly counted: number;
  /** The others are no more than may wait. */
  readonly isUpToDate: boolean;
}

/**
 * A place that keeps events and answers queries. Two adapters, one conformance suite
 * (`test/store/conformance.ts`); no caller knows which one it holds.
 *
 * Errors: every method throws `MetronomeError` `unavailable` when the engine cannot be reached or
 * refuses for now (then nothing of the call may be assumed), and never a partial answer.
 */
export interface EventStore {
  /** 2 for a store that would wait for delivery between one batch and the next. */
  readonly appendsAtOnce: 1 | 2;
  /** Next sequence that this store needs of a journal: 1 for one that it has never seen. */
  cursor(collector: string): Promise<number>;
  /**
   * Takes a batch, moves the cursor past it and adds it to the segment's tally: cursor and tally
   * in one commit, with the events where the engine can. Where it cannot, a crash may leave
   * events of the batch stored with the cursor before them; the same batch (or one of other
   * length) then comes again, its events are told from duplicates by their place, count as
   * stored, and the state ends the same. An event that can never be stored is no error: it goes
   * to `keepRejects`. `bad-request` means that the batch as a whole can never be taken: delivery
   * then finds the guilty event by halves, and rejects it. Any other error is tried again.
   * One call at a time for one journal, or `appendsAtOnce`: then the next batch may be given while
   * the store is still at work on the last one. Its cursor passes no batch before the one in
   * front: where that fails, so does what was given after it.
   */
  append(batch: Batch, keepRejects: KeepRejects): Promise<Appended>;
  /** What became of a journal's delivered events, by segment, ascending. */
  tallies(collector: string): Promise<readonly Tally[]>;
  /** Rows in the query's order. Throws `bad-request` for a field that cannot do what is asked. */
  query(query: Query): Promise<readonly Row[]>;
  /**
   * Whether the store answers a query from counts that it has made ahead, so that beside these it
   * reads no more than `eventsMax` events, now.
   */
  isCountedAhead(query: Query, eventsMax: number): Promise<boolean>;
  /**
   * Epoch ms: the first UTC day from which on the store can answer a query about whole UTC days from
   * counts that it has made ahead, whether the events of those days are there or not; Infinity for
   * a query of which it makes none. What was dropped before it had counted it is before that day.
   */
  countsFrom(query: Query): Promise<number>;
  /** Events one by one, in the order of `Scan`, as they were at the first. */
  scan(scan: Scan): AsyncIterable<Row>;
  /**
   * The query or scan as the engine gets it, now: SQL, or search bodies as JSON. Of those that are
   * asked in one turn some engines answer several at once, and say so where they are explained so.
   */
  explain(question: Query | Scan): Promise<string>;
  /** Counts what is stored of a journal, for `audit`. */
  places(
    collector: string,
    ranges: readonly Omit<PlaceCount, 'stored'>[],
  ): Promise<readonly PlaceCount[]>;
  /**
   * Erases for good and returns how many events went. A hash of each one's identity stays as a
   * tombstone until its day expires: the same event, sent again or replayed from a journal or an
   * archive, counts as a duplicate. One without id comes back under the name of its place.
   */
  erase(selection: Selection): Promise<number>;
  /** The selected events as at rest, oldest first. */
  export(selection: Selection): AsyncIterable<Record<string, unknown>>;
  /**
   * Takes out the events of the UTC days before a day (`2026-11-23`) by dropping days, not events,
   * counts them in the tallies as expired, and returns how many went. Days are those by which the
   * store files events: the client's own time, where it gave a usable one. With `countsBefore`, an
   * earlier day, the store keeps its counts of the days from that on, if it can: it goes on to answer
   * what it has counted ahead about whole UTC days (see `countsFrom`).
   */
  expire(before: string, countsBefore?: string): Promise<number>;
  /**
   * The salt of a UTC day (`2026-11-23`) for all collectors of this store: the first that is
   * proposed wins.
   */
  salt(day: string, proposal: string): Promise<string>;
  /** Destroys the salts of the days before a UTC day. */
  forgetSalts(before: string): Promise<void>;
  /**
   * Does the work of the store that can wait, in pieces beside which it takes and answers; to be
   * called from time to time, one call at a time. A signal stops it after the piece under way.
   */
  maintain(signal: AbortSignal): Promise<void>;
  /** The rollups that the store keeps up, those of declared queries among them. */
  rollups(): Promise<readonly RollupProgress[]>;
  /**
   * Has a rollup counted anew by `maintain`, by its name in `rollups`: until it is, answers come from
   * the events. Counts that outlive their events stay. Throws `not-found` for an unknown name.
   */
  rebuildRollup(name: string): Promise<void>;
  /** Makes everything appended so far visible to `query`. */
  refresh(): Promise<void>;
  /** Resolves when the engine can take and answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

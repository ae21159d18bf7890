/**
 * The journal: the fsynced log between intake and the stores. What `append` has acknowledged is
 * on disk and stays there until every consumer has released it.
 *
 * On disk, in one folder that one process owns (`lock`):
 *
 *     ledger                      the journal's id, then one JSON line for each closed segment
 *     0000000000000001.journal    a segment, named by the sequence of its first event
 *     0000000000104857.journal
 *
 * A segment is readable text; `grep -v '^#'` makes it NDJSON:
 *
 *     #metronome-journal 1 {"collector":"k3v…","segment":1,"created":"2026-11-23T22:46:00.123Z"}
 *     #frame 2026-11-23T22:46:00.123Z first=0000000000000001 events=00000002 bytes=0000000512 crc=1a2b3c4d
 *     {"journal.collector":"k3v…","journal.segment":1,"journal.sequence":1,"@timestamp":…}
 *     {"journal.collector":"k3v…","journal.segment":1,"journal.sequence":2,"@timestamp":…}
 *     #frame …
 *
 * Group commit: one frame holds all appends that waited at a moment. It is written by one durable
 * write; meanwhile the next appends gather, as bytes without places (`stage.ts`), which they get when
 * their frame is made. The checksum (CRC-32) covers header and payload.
 *
 * Invariants
 * - A frame is begun only after the one before is durable. So only the last frame of the newest
 *   segment can be torn; anything else that fails its checksum is damage, and is reported as such.
 * - A sequence is given when its frame is written, and counts on only when that frame is durable:
 *   the acknowledged sequences have no gaps, and none is acknowledged twice.
 * - After a failed write nothing more is written to that segment (a kernel reports a failed
 *   write-back once, and a second fsync may lie). It is cut to its last good frame and closed; the
 *   appends are refused; the next commit begins a new segment with the same sequence. Where even
 *   the cut fails, the segment that follows says by its name what of the older one counts.
 * - A segment holds events of one UTC day of receipt, so that the ledger counts days.
 * - An event that was refused, or that waited when the process died, is there whole or not at all.
 * - A segment is removed only when all consumers have released it and its ledger line is durable;
 *   one in which damage was met is kept beside as `.journal.damaged`.
 */
import { MetronomeError } from '../errors.ts';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { Consumer } from './consumer.ts';
import { type Disk, errorCode } from './disk.ts';
import type { Segment } from './ledger.ts';
import { recover } from './recover.ts';
import { Segments } from './segments.ts';
import { Stage } from './stage.ts';

export interface JournalOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error' | 'warn'>;
  /** Makes the id of a new journal: letters and digits, unlike that of any other. */
  readonly newId: () => string;
  /** Appends are refused above this. */
  readonly journalBytesMax: number;
  readonly segmentBytesMax?: number;
  readonly segmentAgeMaxMs?: number;
  /** Appends are refused while the file system has less room than this, which the store needs. */
  readonly freeBytesMin?: number;
}

/** Sequences of the lines of one append, inclusive. */
export interface PlaceRange {
  readonly first: number;
  readonly last: number;
}

/** An append that is being made, within one turn of the event loop. */
export interface Append {
  /** Adds an event: a JSON object that is not empty, without `\n`. */
  add(line: string): void;
  /**
   * Resolved: they are on disk, in their order, in consecutive places.
   *
   * @throws MetronomeError `unavailable` when the journal or the disk is full or the disk fails;
   * then none of the lines counts.
   */
  commit(): Promise<PlaceRange>;
}

interface Waiting {
  readonly events: number;
  readonly resolve: (range: PlaceRange) => void;
  readonly reject: (error: Error) => void;
}

export const JOURNAL_LIMITS = {
  segmentBytesMax: 64 * 1024 * 1024,
  segmentAgeMaxMs: 60 * 60 * 1000,
  /** Of one frame; a single append may be larger. */
  frameBytesMax: 4 * 1024 * 1024,
  /** Of all appends that wait for the disk. */
  waitingBytesMax: 64 * 1024 * 1024,
  freeBytesMin: 64 * 1024 * 1024,
  freeCheckMs: 1000,
  /** After a failed write, appends are refused this long before the disk is tried again. */
  retryAfterMs: 1000,
} as const;

/** Opens the journal of a folder, or makes it. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { disk, folder, journalBytesMax } = options;
  const unlock = await disk.lock(folder);
  try {
    const { ledger, present } = await recover(options);
    const { segmentBytesMax = JOURNAL_LIMITS.segmentBytesMax } = options;
    const { segmentAgeMaxMs = JOURNAL_LIMITS.segmentAgeMaxMs } = options;
    const limits = {
      // A full journal must hold closed segments, which can be released; the open one cannot.
      segmentBytesMax: Math.min(segmentBytesMax, Math.floor(journalBytesMax / 4)),
      segmentAgeMaxMs,
    };
    return new Journal(options, new Segments({ ...options, ...limits }, ledger, present), unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #segments: Segments;
  readonly #unlock: () => Promise<void>;
  readonly #consumers = new Map<string, Consumer>();
  readonly #watchers = new Set<() => void>();
  readonly #stopping = new AbortController();

  /** The lines of what waits, and at its end those of an append that is being made. */
  readonly #stage = new Stage();
  #waiting: Waiting[] = [];
  #waitingEvents = 0;
  #isCommitting = false;
  #committing: Promise<void> = Promise.resolve();
  #rollWanted = false;
  #refusal: { readonly reason: string; readonly until: number } | undefined;
  /** Something was refused for want of room that is told until then; less may still fit. */
  #fullUntil = 0;
  #commits = 0;
  #writingMs = 0;
  #removing: Promise<void> = Promise.resolve();
  #freeChecked = Number.NEGATIVE_INFINITY;
  #freeBytes = Number.POSITIVE_INFINITY;

  /** @internal Use `openJournal`. */
  constructor(options: JournalOptions, segments: Segments, unlock: () => Promise<void>) {
    this.#options = options;
    this.#segments = segments;
    this.#unlock = unlock;
  }

  /** Id of this journal, made once for its folder. */
  get collector(): string {
    return this.#segments.collector;
  }

  /** Sequence of the last acknowledged event; 0 before the first. */
  get last(): number {
    return this.#segments.last;
  }

  /** Bytes of its segments on disk. */
  get bytes(): number {
    return this.#segments.bytes;
  }

  /** Group commits since the start, each one durable write. */
  get commits(): number {
    return this.#commits;
  }

  /** How long the commits since the start took together, in ms. */
  get writingMs(): number {
    return this.#writingMs;
  }

  /** Why appends are refused at the moment, if they are. */
  get refusal(): string | undefined {
    const { clock, journalBytesMax } = this.#options;
    const isFull = this.bytes >= journalBytesMax || clock.now() < this.#fullUntil;
    return isFull ? FULL : this.#failure;
  }

  /** Bytes that still fit, by its own limit and what the disk had left when that was last looked at. */
  get room(): number {
    const { journalBytesMax, freeBytesMin = JOURNAL_LIMITS.freeBytesMin } = this.#options;
    return Math.min(journalBytesMax - this.bytes, this.#freeBytes - freeBytesMin);
  }

  /** Why an append would be refused, also where none was for a while; undefined when it would not. */
  async check(): Promise<string | undefined> {
    if (this.refusal !== undefined) return this.refusal;
    try {
      await this.#checkFree();
      return undefined;
    } catch (error) {
      return error instanceof MetronomeError ? error.message : describe(error);
    }
  }

  get #failure(): string | undefined {
    const { clock } = this.#options;
    const holds = this.#refusal !== undefined && clock.now() < this.#refusal.until;
    return holds ? this.#refusal?.reason : undefined;
  }

  /** Every segment that ever was, ascending; the last may be the one that is written to. */
  segments(): readonly Segment[] {
    return this.#segments.all();
  }

  /** Segments whose files are there, ascending. */
  present(): readonly Segment[] {
    return this.#segments.present();
  }

  /** Begins an append; one that was not committed is dropped. */
  begin(): Append {
    this.#stage.cut(this.#waitingEvents);
    return {
      add: (line) => this.#stage.add(line),
      commit: () => this.#commit(),
    };
  }

  /** Appends lines; see `Append`. */
  append(lines: Iterable<string>): Promise<PlaceRange> {
    const append = this.begin();
    for (const line of lines) append.add(line);
    return append.commit();
  }

  /**
   * A reader of its own that keeps segments until it releases them. Make all consumers before
   * the first releases anything.
   */
  consumer(name: string): Consumer {
    const segments = this.#segments;
    const consumer = new Consumer({
      disk: this.#options.disk,
      folder: this.#options.folder,
      segments,
      waitUntil: (holds, signal) => this.#waitUntil(holds, signal),
      released: () => this.#removeReleased(),
    });
    this.#consumers.set(name, consumer);
    return consumer;
  }

  /** Closes the segment that is written to, if any; the next append begins another. */
  async roll(): Promise<void> {
    this.#rollWanted = true;
    this.#kick();
    await this.#committing;
  }

  /** Commits what waits, closes the files and gives the folder up. */
  async close(): Promise<void> {
    this.#stopping.abort();
    try {
      await this.roll();
      for (const consumer of this.#consumers.values()) await consumer.close();
      await this.#removing;
      await this.#segments.close();
    } finally {
      await this.#unlock();
    }
  }

  #commit(): Promise<PlaceRange> {
    const events = this.#stage.events - this.#waitingEvents;
    if (events === 0) return Promise.resolve({ first: this.last + 1, last: this.last });
    const refusal = this.#refusalOfStage();
    if (refusal !== undefined) {
      this.#stage.cut(this.#waitingEvents);
      return Promise.reject(unavailable(refusal));
    }
    this.#waitingEvents += events;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, resolve, reject });
      this.#kick();
    });
  }

  /** Why the append at the end of the stage is refused, if it is. */
  #refusalOfStage(): string | undefined {
    const { bytes } = this.#stage;
    if (this.#stopping.signal.aborted) return 'The collector is stopping.';
    if (bytes > JOURNAL_LIMITS.waitingBytesMax && this.#waitingEvents > 0) {
      return 'The disk is too slow for the events that arrive.';
    }
    const { journalBytesMax, clock } = this.#options;
    if (this.bytes + bytes <= journalBytesMax) return this.#failure;
    this.#fullUntil = clock.now() + JOURNAL_LIMITS.retryAfterMs;
    return FULL;
  }

  #kick(): void {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    this.#committing = this.#commitAll();
  }

  /** Never rejects: each failure goes to the appends that it concerns. */
  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0 || this.#rollWanted) {
      // Requests that arrived in the same turn of the event loop join the group.
      await turn();
      if (this.#rollWanted) await this.#roll();
      if (this.#waiting.length > 0) await this.#commitGroup();
    }
    this.#isCommitting = false;
  }

  async #commitGroup(): Promise<void> {
    let group: readonly Waiting[] = [];
    let next = this.last + 1;
    try {
      if (this.#isFreeCheckDue()) await this.#checkFree();
      if (this.#segments.isFull(this.#options.clock.now())) await this.#roll();
      group = this.#takeGroup();
      await this.#write(group.reduce((sum, { events }) => sum + events, 0));
    } catch (error) {
      await this.#fail(group, error);
      return;
    }
    for (const { events, resolve } of group) {
      resolve({ first: next, last: next + events - 1 });
      next += events;
    }
    this.#wake();
  }

  #takeGroup(): readonly Waiting[] {
    let events = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      events += waiting.events;
      if (count > 0 && this.#stage.bytesOf(events) > JOURNAL_LIMITS.frameBytesMax) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(events: number): Promise<void> {
    const { active } = this.#segments;
    this.#waitingEvents -= events;
    const start = performance.now();
    await this.#segments.write(this.#stage, events, this.#options.clock.now());
    this.#writingMs += performance.now() - start;
    this.#commits += 1;
    if (active === undefined) this.#rollWhenFull();
  }

  /** A segment that gets no more events is closed when its time has come. */
  #rollWhenFull(): void {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    const { active } = this.#segments;
    if (active === undefined) return;
    const dueMs = this.#segments.dueAt(active) - clock.now();
    void clock.sleep(dueMs, signal).then(() => {
      if (signal.aborted || this.#segments.active?.segment !== active.segment) return;
      if (this.#segments.isFull(clock.now())) return this.roll();
      return this.#rollWhenFull();
    });
  }

  async #roll(): Promise<void> {
    this.#rollWanted = false;
    await this.#segments.roll();
    this.#removeReleased();
    this.#wake();
  }

  async #fail(group: readonly Waiting[], error: unknown): Promise<void> {
    const { clock, log } = this.#options;
    log.error({ err: error }, 'the journal cannot write');
    await this.#segments.abandon();
    await this.#roll();
    const reason = error instanceof MetronomeError ? error.message : describe(error);
    this.#refusal = { reason, until: clock.now() + JOURNAL_LIMITS.retryAfterMs };
    const refused = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#waitingEvents = 0;
    this.#stage.cut(0);
    for (const { reject } of refused) reject(unavailable(reason, error));
  }

  #removeReleased(): void {
    const { log } = this.#options;
    this.#removing = this.#removing.then(() =>
      this.#segments.remove(this.#releasedTo()).catch((error: unknown) => {
        log.warn({ err: error }, 'segments could not be removed yet');
      }),
    );
  }

  /** What no consumer needs is before this; without consumers all is kept. */
  #releasedTo(): number {
    const released = [...this.#consumers.values()].map((consumer) => consumer.releasedTo);
    return released.length === 0 ? 0 : Math.min(...released);
  }

  #isFreeCheckDue(): boolean {
    const now = this.#options.clock.now();
    if (Math.abs(now - this.#freeChecked) < JOURNAL_LIMITS.freeCheckMs) return false;
    this.#freeChecked = now;
    return true;
  }

  async #checkFree(): Promise<void> {
    const { disk, folder, freeBytesMin = JOURNAL_LIMITS.freeBytesMin } = this.#options;
    this.#freeBytes = await disk.freeBytes(folder);
    if (this.#freeBytes < freeBytesMin) throw unavailable(DISK_FULL);
  }

  #waitUntil(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds() && !signal.aborted) return;
        this.#watchers.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.#watchers.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  #wake(): void {
    for (const look of this.#watchers) look();
  }
}

const FULL = 'The journal is full: the store has not taken its events yet.';
const DISK_FULL = 'The disk is full.';

function unavailable(reason: string, cause?: unknown): MetronomeError {
  const retryAfterS = Math.ceil(JOURNAL_LIMITS.retryAfterMs / 1000);
  return new MetronomeError('unavailable', reason, { cause, retryAfterS });
}

function describe(error: unknown): string {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? DISK_FULL : 'The disk of the journal fails.';
}

/** The next turn of the event loop, after the requests that have arrived. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

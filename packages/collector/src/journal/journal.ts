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
 * write; meanwhile the next appends gather. The checksum (CRC-32) covers header and payload.
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
import { type Disk, type DiskFile, errorCode } from './disk.ts';
import {
  FrameEncoder,
  JOURNAL_VERSION,
  type Lines,
  segmentHeader,
  segmentVersion,
} from './frame.ts';
import { Ledger, LEDGER_NAME, type Segment } from './ledger.ts';
import { recoverSegment, segmentPath, segmentsAmong } from './segment-file.ts';

export interface JournalOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error' | 'warn' | 'info'>;
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

interface Waiting {
  readonly lines: Lines;
  readonly length: number;
  readonly resolve: (range: PlaceRange) => void;
  readonly reject: (error: Error) => void;
}

/** The segment that is written to. */
interface Active extends Segment {
  readonly file: DiskFile;
  readonly day: number;
}

export const JOURNAL_LIMITS = {
  segmentBytesMax: 64 * 1024 * 1024,
  segmentAgeMaxMs: 60 * 60 * 1000,
  /** Of one frame, in UTF-16 units; a single append may be larger. */
  frameLengthMax: 4 * 1024 * 1024,
  /** Of all appends that wait for the disk, in UTF-16 units. */
  waitingLengthMax: 64 * 1024 * 1024,
  freeBytesMin: 64 * 1024 * 1024,
  freeCheckMs: 1000,
  /** After a failed write, appends are refused this long before the disk is tried again. */
  retryAfterMs: 1000,
} as const;

const DAY_MS = 86_400_000;

/** Opens the journal of a folder, or makes it. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { disk, folder } = options;
  const unlock = await disk.lock(folder);
  try {
    const names = await disk.list(folder);
    const ledger = await Ledger.open(disk, folder, () => {
      if (segmentsAmong(names).length === 0) return options.newId();
      const message = `${folder} holds segments, but its ${LEDGER_NAME} is missing: restore it, or move the segments away to begin a new journal.`;
      throw new MetronomeError('config', message);
    });
    const present = await recover(options, ledger, segmentsAmong(names));
    return new Journal(options, ledger, present, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Completes the ledger from the segments that are there, and returns those, ascending. */
async function recover(
  { disk, folder, log }: JournalOptions,
  ledger: Ledger,
  files: readonly number[],
): Promise<Segment[]> {
  // A process that died may have left names that are not durable.
  await disk.syncFolder(folder);
  const known = new Map(ledger.segments.map((segment) => [segment.segment, segment]));
  const present: Segment[] = [];
  for (const [index, first] of files.entries()) {
    await checkVersion(disk, segmentPath(folder, first));
    const found = known.get(first) ?? (await recoverSegment(disk, folder, first, files[index + 1]));
    if (found === undefined) {
      log.warn({ segment: first }, 'a segment without acknowledged events is removed');
      await disk.remove(segmentPath(folder, first));
      continue;
    }
    present.push(found);
    if (!known.has(first)) ledger.add(found);
  }
  await ledger.flush();
  return present;
}

async function checkVersion(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path);
  try {
    const start = Buffer.alloc(64);
    await file.read(start, 0);
    const version = segmentVersion(start) ?? JOURNAL_VERSION;
    if (version === JOURNAL_VERSION) return;
    const message = `${path} is of version ${version}; this program reads version ${JOURNAL_VERSION}.`;
    throw new MetronomeError('config', message);
  } finally {
    await file.close();
  }
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #segmentBytesMax: number;
  readonly #ledger: Ledger;
  readonly #unlock: () => Promise<void>;
  readonly #encoder = new FrameEncoder();
  readonly #consumers = new Map<string, Consumer>();
  readonly #stopping = new AbortController();

  /** Closed segments whose files are there, ascending. */
  #closed: Segment[];
  #closedBytes: number;
  #active: Active | undefined;
  #next: number;

  #waiting: Waiting[] = [];
  #waitingLength = 0;
  #isCommitting = false;
  #committing: Promise<void> = Promise.resolve();
  #rollWanted = false;
  /** A segment that could not be begun could not be removed either. */
  #inTheWay = false;
  #refusal: { readonly reason: string; readonly until: number } | undefined;
  #commits = 0;
  #removing: Promise<void> = Promise.resolve();
  #watchers = new Set<() => void>();
  /** Segments in which a consumer has met damage. */
  readonly #damaged = new Set<number>();
  #freeChecked = Number.NEGATIVE_INFINITY;

  /** @internal Use `openJournal`. */
  constructor(
    options: JournalOptions,
    ledger: Ledger,
    present: Segment[],
    unlock: () => Promise<void>,
  ) {
    this.#options = options;
    const { segmentBytesMax = JOURNAL_LIMITS.segmentBytesMax, journalBytesMax } = options;
    // A full journal must hold closed segments, which can be released; the open one cannot.
    this.#segmentBytesMax = Math.min(segmentBytesMax, Math.floor(journalBytesMax / 4));
    this.#ledger = ledger;
    this.#unlock = unlock;
    this.#closed = present;
    this.#closedBytes = present.reduce((sum, segment) => sum + segment.bytes, 0);
    this.#next = (ledger.segments.at(-1)?.last ?? 0) + 1;
  }

  /** Id of this journal, made once for its folder. */
  get collector(): string {
    return this.#ledger.collector;
  }

  /** Sequence of the last acknowledged event; 0 before the first. */
  get last(): number {
    return this.#next - 1;
  }

  /** Bytes of its segments on disk. */
  get bytes(): number {
    return this.#closedBytes + (this.#active?.bytes ?? 0);
  }

  /** Group commits since the start, each one durable write. */
  get commits(): number {
    return this.#commits;
  }

  /** Why appends are refused at the moment, if they are. */
  get refusal(): string | undefined {
    if (this.bytes >= this.#options.journalBytesMax) return FULL;
    if (this.#refusal === undefined || this.#options.clock.now() >= this.#refusal.until) {
      return undefined;
    }
    return this.#refusal.reason;
  }

  /** Every segment that ever was, ascending; the last may be the one that is written to. */
  segments(): readonly Segment[] {
    return this.#active === undefined
      ? this.#ledger.segments
      : [...this.#ledger.segments, this.#active];
  }

  /** Segments whose files are there, ascending. */
  present(): readonly Segment[] {
    return this.#active === undefined ? this.#closed : [...this.#closed, this.#active];
  }

  /**
   * Appends lines, each one event as JSON object that is not empty, without `\n`. Resolved: they
   * are on disk, in their order, in consecutive places.
   *
   * @throws MetronomeError `unavailable` when the journal or the disk is full or the disk fails;
   * then none of the lines counts.
   */
  append(lines: Lines): Promise<PlaceRange> {
    if (lines.length === 0) return Promise.resolve({ first: this.#next, last: this.last });
    let length = 0;
    for (const line of lines) length += line.length;
    const refusal = this.#refusalOf(length);
    if (refusal !== undefined) return Promise.reject(unavailable(refusal));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lines, length, resolve, reject });
      this.#waitingLength += length;
      this.#kick();
    });
  }

  /**
   * A reader of its own that keeps segments until it releases them. Make all consumers before
   * the first releases anything.
   */
  consumer(name: string): Consumer {
    const consumer = new Consumer({
      disk: this.#options.disk,
      folder: this.#options.folder,
      collector: this.collector,
      present: () => this.present(),
      find: (sequence) => findSegment(this.segments(), sequence),
      last: () => this.last,
      isClosed: (segment) => segment !== this.#active?.segment,
      waitUntil: (holds, signal) => this.#waitUntil(holds, signal),
      released: () => this.#removeReleased(),
      damaged: (segment) => this.#damaged.add(segment),
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
      await this.#ledger.close();
    } finally {
      await this.#unlock();
    }
  }

  #refusalOf(length: number): string | undefined {
    if (this.#stopping.signal.aborted) return 'The collector is stopping.';
    if (this.#waitingLength + length > JOURNAL_LIMITS.waitingLengthMax && this.#waitingLength > 0) {
      return 'The disk is too slow for the events that arrive.';
    }
    const { journalBytesMax } = this.#options;
    if (this.bytes + this.#waitingLength + length > journalBytesMax) return FULL;
    return this.refusal;
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
    const group = this.#takeGroup();
    const first = this.#next;
    try {
      if (this.#isFreeCheckDue()) await this.#checkFree();
      await this.#write(group.map(({ lines }) => lines));
    } catch (error) {
      await this.#fail(group, error);
      return;
    }
    let next = first;
    for (const { lines, resolve } of group) {
      resolve({ first: next, last: next + lines.length - 1 });
      next += lines.length;
    }
    this.#wake();
  }

  #takeGroup(): Waiting[] {
    let length = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && length + waiting.length > JOURNAL_LIMITS.frameLengthMax) break;
      length += waiting.length;
      count += 1;
    }
    this.#waitingLength -= length;
    return this.#waiting.splice(0, count);
  }

  async #write(groups: readonly Lines[]): Promise<void> {
    const time = this.#options.clock.now();
    if (this.#active !== undefined && this.#isFull(this.#active, time)) await this.#roll();
    const first = this.#next;
    const place = {
      collector: this.collector,
      segment: this.#active?.segment ?? first,
      first,
      time,
    };
    const last = first + groups.reduce((sum, lines) => sum + lines.length, 0) - 1;
    this.#active =
      this.#active === undefined
        ? await this.#begin(
            this.#encoder.encode(groups, place, this.#header(time)),
            first,
            last,
            time,
          )
        : await this.#continue(this.#active, this.#encoder.encode(groups, place), last);
    this.#next = last + 1;
    this.#commits += 1;
  }

  #header(time: number): string {
    return segmentHeader(this.collector, this.#next, time);
  }

  #isFull(active: Active, time: number): boolean {
    const { segmentAgeMaxMs = JOURNAL_LIMITS.segmentAgeMaxMs } = this.#options;
    return (
      active.bytes >= this.#segmentBytesMax ||
      Math.floor(time / DAY_MS) !== active.day ||
      time - active.created >= segmentAgeMaxMs
    );
  }

  async #continue(active: Active, frame: Buffer, last: number): Promise<Active> {
    await active.file.append(frame);
    return { ...active, last, bytes: active.bytes + frame.length };
  }

  async #begin(frame: Buffer, segment: number, last: number, created: number): Promise<Active> {
    const { disk, folder } = this.#options;
    const path = segmentPath(folder, segment);
    if (this.#inTheWay) await disk.remove(path);
    const file = await disk.create(path);
    try {
      await file.append(frame);
      await disk.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    this.#inTheWay = false;
    this.#rollWhenOld(created);
    const day = Math.floor(created / DAY_MS);
    return { segment, last, bytes: frame.length, created, file, day };
  }

  #rollWhenOld(created: number): void {
    const { clock, segmentAgeMaxMs = JOURNAL_LIMITS.segmentAgeMaxMs } = this.#options;
    const untilMidnightMs = DAY_MS - (created % DAY_MS);
    const { signal } = this.#stopping;
    void clock.sleep(Math.min(segmentAgeMaxMs, untilMidnightMs), signal).then(() => {
      const active = this.#active;
      if (signal.aborted || active?.created !== created) return;
      if (this.#isFull(active, clock.now())) return this.roll();
      return this.#rollWhenOld(created);
    });
  }

  async #roll(): Promise<void> {
    this.#rollWanted = false;
    const active = this.#active;
    if (active === undefined) return;
    this.#active = undefined;
    await active.file.close().catch(() => undefined);
    const { segment, last, bytes, created } = active;
    this.#closed.push({ segment, last, bytes, created });
    this.#closedBytes += bytes;
    this.#ledger.add({ segment, last, bytes, created });
    this.#removeReleased();
    this.#wake();
  }

  /** See the invariants: the segment is cut where it was good and never written again. */
  async #fail(group: readonly Waiting[], error: unknown): Promise<void> {
    const { clock, disk, folder, log } = this.#options;
    log.error({ err: error }, 'the journal cannot write');
    if (this.#active !== undefined) {
      const { file, bytes } = this.#active;
      await file.truncate(bytes).catch((cause: unknown) => {
        log.warn({ err: cause }, 'the failed end of a segment could not be cut');
      });
      await this.#roll();
    } else {
      // A new segment that failed would be in the way of the next try, which has the same name.
      const removing = disk.remove(segmentPath(folder, this.#next));
      this.#inTheWay = await removing.then(
        () => false,
        () => true,
      );
    }
    const reason = error instanceof MetronomeError ? error.message : describe(error);
    this.#refusal = { reason, until: clock.now() + JOURNAL_LIMITS.retryAfterMs };
    const refused = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#waitingLength = 0;
    for (const { reject } of refused) reject(unavailable(reason, error));
  }

  #removeReleased(): void {
    this.#removing = this.#removing
      .then(() => this.#remove())
      .catch((error: unknown) => {
        this.#options.log.warn({ err: error }, 'segments could not be removed yet');
      });
  }

  async #remove(): Promise<void> {
    await this.#ledger.flush();
    if (this.#consumers.size === 0) return;
    const released = Math.min(...[...this.#consumers.values()].map((each) => each.releasedTo));
    for (;;) {
      const [oldest] = this.#closed;
      if (oldest === undefined || oldest.last >= released) return;
      await this.#removeSegment(oldest.segment);
      this.#closed.shift();
      this.#closedBytes -= oldest.bytes;
    }
  }

  /** What is damaged is not destroyed as well: someone may want to read what is left of it. */
  async #removeSegment(segment: number): Promise<void> {
    const { disk, folder } = this.#options;
    const path = segmentPath(folder, segment);
    if (!this.#damaged.delete(segment)) return disk.remove(path);
    await disk.rename(path, `${path}.damaged`);
    await disk.syncFolder(folder);
  }

  #isFreeCheckDue(): boolean {
    const now = this.#options.clock.now();
    if (Math.abs(now - this.#freeChecked) < JOURNAL_LIMITS.freeCheckMs) return false;
    this.#freeChecked = now;
    return true;
  }

  async #checkFree(): Promise<void> {
    const { disk, folder, freeBytesMin = JOURNAL_LIMITS.freeBytesMin } = this.#options;
    if ((await disk.freeBytes(folder)) < freeBytesMin) throw unavailable(DISK_FULL);
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

/** The segment that holds a sequence, of segments in ascending order. */
function findSegment(segments: readonly Segment[], sequence: number): Segment | undefined {
  const found = segments.findLast(({ segment }) => segment <= sequence);
  return found !== undefined && sequence <= found.last ? found : undefined;
}

/** The next turn of the event loop, after the requests that have arrived. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

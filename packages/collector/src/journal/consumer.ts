import type { Batch } from '../event-store.ts';
import { type Disk, type DiskFile, unlessMissing } from './disk.ts';
import { bytesOfFrame, decodeFrame, findFrame, segmentHeaderLength } from './frame.ts';
import type { Segment } from './ledger.ts';
import { segmentPath } from './segment-file.ts';
import type { Segments } from './segments.ts';

export interface ReadLimits {
  readonly eventsMax: number;
  /** A single event may be larger. */
  readonly bytesMax: number;
  /** So many batches hold at once, this one and those before it; default 1. */
  readonly held?: 1 | 2;
}

export interface JournalBatch extends Batch {
  /** Commit time of the first event, epoch ms. */
  readonly time: number;
  /** Commit time of the last event, epoch ms. */
  readonly until: number;
  /** Why these events cannot be read, in a sentence; then `lines` is empty. */
  readonly damage?: string;
}

/** What a consumer sees of its journal. */
export interface JournalView {
  readonly disk: Disk;
  readonly folder: string;
  readonly segments: Pick<
    Segments,
    'collector' | 'last' | 'active' | 'present' | 'find' | 'markDamaged'
  >;
  waitUntil(holds: () => boolean, signal: AbortSignal): Promise<void>;
  released(): void;
}

interface OpenSegment {
  readonly segment: number;
  readonly file: DiskFile;
  /** Where the frame begins that is read next, perhaps once more for the rest of its lines. */
  offset: number;
}

const READ_BYTES_MIN = 256 * 1024;

/**
 * Reads a journal in order, from any sequence on, only what is durable, each frame against its
 * checksum. What it has not released stays on disk.
 */
export class Consumer {
  readonly #journal: JournalView;
  #next = 1;
  #releasedTo = 1;
  #open: OpenSegment | undefined;
  #buffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES_MIN);
  /** Of the last batch, where two are held. */
  #otherBuffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES_MIN);

  constructor(journal: JournalView) {
    this.#journal = journal;
  }

  /** Sequence of the next event to read. */
  get next(): number {
    return this.#next;
  }

  /** All before this sequence is released. */
  get releasedTo(): number {
    return this.#releasedTo;
  }

  /** Goes to a sequence; the next read begins with it. */
  async seek(sequence: number): Promise<void> {
    if (sequence === this.#next) return;
    this.#next = sequence;
    await this.#leave();
  }

  /** Lets go of all before a sequence. */
  release(sequence: number): void {
    if (sequence <= this.#releasedTo) return;
    this.#releasedTo = sequence;
    this.#journal.released();
  }

  /** Resolves when the event of this sequence is there, or when the signal aborts. */
  waitFor(sequence: number, signal: AbortSignal): Promise<void> {
    return this.#journal.waitUntil(() => this.#journal.segments.last >= sequence, signal);
  }

  /** Resolves when the segment that holds or will hold this sequence is closed, or at abort. */
  waitForClosed(sequence: number, signal: AbortSignal): Promise<void> {
    const { segments, waitUntil } = this.#journal;
    return waitUntil(() => {
      const found = segments.find(sequence);
      return found !== undefined && found.segment !== segments.active?.segment;
    }, signal);
  }

  /** The segment that holds or held this sequence. */
  segmentOf(sequence: number): Segment | undefined {
    return this.#journal.segments.find(sequence);
  }

  /**
   * The next events: at least one, all of one segment, or undefined when all are read. The
   * buffer holds until the next call, or the one after it where two batches are held.
   */
  async read(limits: ReadLimits): Promise<JournalBatch | undefined> {
    if (this.#next > this.#journal.segments.last) return undefined;
    if (limits.held === 2) [this.#buffer, this.#otherBuffer] = [this.#otherBuffer, this.#buffer];
    const batch = await this.#load(limits);
    this.#next = batch.last + 1;
    return batch;
  }

  async close(): Promise<void> {
    await this.#leave();
  }

  async #load(limits: ReadLimits): Promise<JournalBatch> {
    const { segments } = this.#journal;
    const segment = segments.present().find(({ last }) => last >= this.#next);
    const open = segment === undefined ? undefined : await this.#enter(segment);
    if (segment === undefined || open === undefined) return this.#missing(segment);
    for (;;) {
      const bytes = await this.#chunk(open, segment, limits.bytesMax);
      const { consumed, length, ...gathered } = gather(bytes, this.#next, limits);
      open.offset += consumed;
      if (length > 0) {
        const { collector } = segments;
        const lines = bytes.subarray(0, length);
        return { collector, segment: segment.segment, ...gathered, lines };
      }
      if (consumed > 0) continue;
      const damage = await this.#findDamage(open, segment);
      if (damage !== undefined) return damage;
    }
  }

  /** Opens the segment that holds the next sequence; undefined when there is none. */
  async #enter(segment: Segment): Promise<OpenSegment | undefined> {
    if (this.#open?.segment === segment.segment) return this.#open;
    await this.#leave();
    if (segment.segment > this.#next) return undefined;
    const { disk, folder } = this.#journal;
    const file = await unlessMissing(disk.open(segmentPath(folder, segment.segment)));
    if (file === undefined) return undefined;
    const start = this.#buffer.subarray(0, READ_BYTES_MIN);
    const offset = segmentHeaderLength(start.subarray(0, await file.read(start, 0)));
    this.#open = { segment: segment.segment, file, offset };
    return this.#open;
  }

  async #leave(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.file.close();
  }

  /** Bytes from the next frame on: at least the whole of it, where it is whole. */
  async #chunk(open: OpenSegment, segment: Segment, bytesMax: number): Promise<Buffer> {
    const rest = segment.bytes - open.offset;
    let wanted = Math.min(rest, Math.max(bytesMax, READ_BYTES_MIN));
    for (;;) {
      if (wanted > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(wanted);
      const target = this.#buffer.subarray(0, wanted);
      const bytes = target.subarray(0, await open.file.read(target, open.offset));
      const needed = bytesOfFrame(bytes);
      if (needed <= bytes.length || bytes.length < wanted || wanted === rest) return bytes;
      wanted = Math.min(rest, needed);
    }
  }

  /**
   * Where no true frame with the next sequence lies, looks for the one that goes on after it.
   * Undefined when no event is missing in between.
   */
  async #findDamage(open: OpenSegment, segment: Segment): Promise<JournalBatch | undefined> {
    const rest = Buffer.alloc(Math.max(0, segment.bytes - open.offset));
    const bytes = rest.subarray(0, await open.file.read(rest, open.offset));
    const found = findFrame(bytes, this.#next);
    const damagedAt = open.offset;
    open.offset = found === undefined ? segment.bytes : open.offset + found.at;
    if (found !== undefined && found.first <= this.#next) return undefined;
    this.#journal.segments.markDamaged(segment.segment);
    const last = found === undefined ? segment.last : found.first - 1;
    const file = segmentPath(this.#journal.folder, segment.segment);
    return this.#damage(
      segment.segment,
      last,
      `The journal is damaged: ${file}, byte ${damagedAt}.`,
    );
  }

  #missing(following: Segment | undefined): JournalBatch {
    const known = this.#journal.segments.find(this.#next);
    const before = following === undefined ? this.#journal.segments.last : following.segment - 1;
    const last = known === undefined ? before : known.last;
    const segment = known?.segment ?? this.#next;
    return this.#damage(segment, last, 'The event is no longer in the journal.');
  }

  #damage(segment: number, last: number, damage: string): JournalBatch {
    const { collector } = this.#journal.segments;
    const nothing = { time: 0, until: 0, lines: Buffer.alloc(0) };
    return { collector, segment, first: this.#next, last, ...nothing, damage };
  }
}

interface Gathered {
  readonly first: number;
  readonly last: number;
  /** Commit times of the first frame and the last. */
  readonly time: number;
  readonly until: number;
  /** Bytes of lines, now at the start of the buffer. */
  readonly length: number;
  /** Bytes of frames of which nothing is left. */
  readonly consumed: number;
}

/**
 * Moves the payloads of consecutive frames together at the start of their buffer, from the line
 * of `next` on; stops at the limits, and where the frames end or one is missing.
 */
function gather(bytes: Buffer, next: number, limits: ReadLimits): Gathered {
  let gathered: Gathered = {
    first: next,
    last: next - 1,
    time: 0,
    until: 0,
    length: 0,
    consumed: 0,
  };
  for (;;) {
    const frame = decodeFrame(bytes, gathered.consumed);
    if (frame === undefined || frame.first > gathered.last + 1) return gathered;
    const last = frame.first + frame.events - 1;
    if (last < next) {
      gathered = { ...gathered, consumed: frame.end };
      continue;
    }
    const isFirst = gathered.length === 0;
    const start = isFirst ? afterLines(bytes, frame.start, next - frame.first) : frame.start;
    const left = last - gathered.last;
    const { end, events } = cut(
      bytes,
      { start, end: frame.end, events: left },
      {
        eventsMax: limits.eventsMax - (gathered.last + 1 - next),
        bytesMax: limits.bytesMax - gathered.length,
        eventsMin: isFirst ? 1 : 0,
      },
    );
    bytes.copyWithin(gathered.length, start, end);
    gathered = {
      first: next,
      last: gathered.last + events,
      time: isFirst ? frame.time : gathered.time,
      until: frame.time,
      length: gathered.length + end - start,
      consumed: events === left ? frame.end : gathered.consumed,
    };
    if (events < left) return gathered;
  }
}

/** Where the line after `count` lines begins. */
function afterLines(bytes: Buffer, from: number, count: number): number {
  let at = from;
  for (let lines = 0; lines < count; lines++) at = bytes.indexOf(10, at) + 1;
  return at;
}

interface Lines {
  readonly start: number;
  readonly end: number;
  readonly events: number;
}

/** How many of these lines are within the limits, and where they end. */
function cut(
  bytes: Buffer,
  lines: Lines,
  limits: ReadLimits & { readonly eventsMin: number },
): { readonly end: number; readonly events: number } {
  const { eventsMin, eventsMax, bytesMax } = limits;
  if (lines.events <= eventsMax && lines.end - lines.start <= bytesMax) return lines;
  let end = lines.start;
  let events = 0;
  while (events < Math.min(lines.events, eventsMax)) {
    const next = bytes.indexOf(10, end) + 1;
    if (events >= eventsMin && next - lines.start > bytesMax) break;
    end = next;
    events += 1;
  }
  return { end, events };
}

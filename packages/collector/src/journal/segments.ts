import type { Logger } from 'pino';
import type { Disk, DiskFile } from './disk.ts';
import { FrameEncoder, segmentHeader } from './frame.ts';
import type { Ledger, Segment } from './ledger.ts';
import { segmentPath } from './segment-file.ts';
import type { Stage } from './stage.ts';

export interface SegmentsOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly log: Pick<Logger, 'warn'>;
  readonly segmentBytesMax: number;
  readonly segmentAgeMaxMs: number;
}

/** The segment that is written to. */
interface Active extends Segment {
  readonly file: DiskFile;
}

const DAY_MS = 86_400_000;

/**
 * The segments of a journal on disk: the one that is written to, the closed ones, and in the
 * ledger all that ever were. See the invariants in `journal.ts`.
 */
export class Segments {
  readonly #options: SegmentsOptions;
  readonly #ledger: Ledger;
  readonly #encoder = new FrameEncoder();
  /** Closed segments whose files are there, ascending. */
  readonly #closed: Segment[];
  /** Segments in which a reader has met damage. */
  readonly #damaged = new Set<number>();
  #closedBytes: number;
  #active: Active | undefined;
  #last: number;
  /** A segment that could not be begun could not be removed either. */
  #isInTheWay = false;

  constructor(options: SegmentsOptions, ledger: Ledger, present: Segment[]) {
    this.#options = options;
    this.#ledger = ledger;
    this.#closed = present;
    this.#closedBytes = present.reduce((sum, segment) => sum + segment.bytes, 0);
    this.#last = ledger.segments.at(-1)?.last ?? 0;
  }

  get collector(): string {
    return this.#ledger.collector;
  }

  /** Sequence of the last acknowledged event. */
  get last(): number {
    return this.#last;
  }

  /** Of the files that are there. */
  get bytes(): number {
    return this.#closedBytes + (this.#active?.bytes ?? 0);
  }

  /** The segment that is written to. */
  get active(): Segment | undefined {
    return this.#active;
  }

  /** Every segment that ever was, ascending. */
  all(): readonly Segment[] {
    const { segments } = this.#ledger;
    return this.#active === undefined ? segments : [...segments, this.#active];
  }

  /** Segments whose files are there, ascending. */
  present(): readonly Segment[] {
    return this.#active === undefined ? this.#closed : [...this.#closed, this.#active];
  }

  /** The segment that holds or held a sequence. */
  find(sequence: number): Segment | undefined {
    if (this.#active !== undefined && sequence >= this.#active.segment) {
      return sequence <= this.#active.last ? this.#active : undefined;
    }
    const found = this.#ledger.segments.findLast(({ segment }) => segment <= sequence);
    return found !== undefined && sequence <= found.last ? found : undefined;
  }

  /** Remembers that a segment is not as it was written. */
  markDamaged(segment: number): void {
    this.#damaged.add(segment);
  }

  /** When a segment is to be closed, at the latest. Epoch ms. */
  dueAt({ created }: Segment): number {
    const midnight = created - (created % DAY_MS) + DAY_MS;
    return Math.min(created + this.#options.segmentAgeMaxMs, midnight);
  }

  /** Whether the next frame belongs into another segment than the active one. */
  isFull(now: number): boolean {
    const active = this.#active;
    if (active === undefined) return false;
    // A clock that was set back to another day counts as well: a segment has but one day.
    const isOtherDay = Math.floor(now / DAY_MS) !== Math.floor(active.created / DAY_MS);
    return active.bytes >= this.#options.segmentBytesMax || now >= this.dueAt(active) || isOtherDay;
  }

  /**
   * Writes one frame of the first so many lines of a stage. Rejected: nothing counts, and the
   * active segment must be abandoned.
   *
   * @param time of the commit, epoch ms.
   */
  async write(stage: Stage, events: number, time: number): Promise<void> {
    const { collector } = this;
    const first = this.#last + 1;
    const last = this.#last + events;
    const active = this.#active;
    if (active === undefined) {
      const place = { collector, segment: first, first, time };
      const header = segmentHeader(collector, first, time);
      this.#active = await this.#begin(
        this.#encoder.encode(stage, events, place, header),
        first,
        last,
        time,
      );
    } else {
      const { segment, file, bytes } = active;
      const frame = this.#encoder.encode(stage, events, { collector, segment, first, time });
      await file.append(frame);
      this.#active = { ...active, last, bytes: bytes + frame.length };
    }
    this.#last = last;
  }

  /** Cuts away what a failed write left. The active segment must be closed after it. */
  async abandon(): Promise<void> {
    const { disk, folder, log } = this.#options;
    if (this.#active !== undefined) {
      await this.#active.file.truncate(this.#active.bytes).catch((error: unknown) => {
        log.warn({ err: error }, 'the failed end of a segment could not be cut');
      });
      return;
    }
    // A new segment that failed would be in the way of the next try, which has the same name.
    const removing = disk.remove(segmentPath(folder, this.#last + 1));
    this.#isInTheWay = await removing.then(
      () => false,
      () => true,
    );
  }

  /**
   * Closes the active segment, if there is one. It goes from active to closed in one step, before
   * anything is waited for: a reader in between would take it for one that is gone.
   */
  async roll(): Promise<void> {
    if (this.#active === undefined) return;
    const { file, ...closed } = this.#active;
    this.#active = undefined;
    this.#closed.push(closed);
    this.#closedBytes += closed.bytes;
    this.#ledger.add(closed);
    await file.close().catch(() => undefined);
  }

  /** Makes the ledger durable, then removes the closed segments before a sequence. */
  async remove(before: number): Promise<void> {
    await this.#ledger.flush();
    for (;;) {
      const [oldest] = this.#closed;
      if (oldest === undefined || oldest.last >= before) return;
      await this.#removeFile(oldest.segment);
      this.#closed.shift();
      this.#closedBytes -= oldest.bytes;
    }
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }

  async #begin(frame: Buffer, segment: number, last: number, created: number): Promise<Active> {
    const { disk, folder } = this.#options;
    const path = segmentPath(folder, segment);
    if (this.#isInTheWay) await disk.remove(path);
    this.#isInTheWay = false;
    const file = await disk.create(path);
    try {
      await file.append(frame);
      await disk.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    return { segment, last, bytes: frame.length, created, file };
  }

  /** What is damaged is not destroyed as well: someone may want to read what is left of it. */
  async #removeFile(segment: number): Promise<void> {
    const { disk, folder } = this.#options;
    const path = segmentPath(folder, segment);
    if (!this.#damaged.has(segment)) return disk.remove(path);
    await disk.rename(path, `${path}.damaged`);
    await disk.syncFolder(folder);
    this.#damaged.delete(segment);
  }
}

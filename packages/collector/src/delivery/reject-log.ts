import { join } from 'node:path';
import type { Batch, Reject } from '../event-store.ts';
import type { Clock } from '../clock.ts';
import type { Disk } from '../journal/disk.ts';
import type { Journal } from '../journal/journal.ts';
import { NdjsonFile } from '../journal/ndjson-file.ts';
import { placeName } from '../place-name.ts';

export interface RejectLogOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** One event that was acknowledged but cannot be stored; or a range of them that is unreadable. */
export interface RejectEntry {
  /** When it was rejected, ISO 8601 UTC. */
  readonly at: string;
  readonly collector: string;
  readonly segment: number;
  readonly sequence: number;
  /** Of a range: its last sequence. */
  readonly last?: number;
  readonly reason: string;
  /** The event as in the journal. */
  readonly event?: Readonly<Record<string, unknown>>;
  /** Its line, where that is not JSON; neither of the two where the journal was damaged. */
  readonly text?: string;
  /** When it was appended to the journal anew, ISO 8601 UTC. */
  readonly retried?: string;
}

const RETRIED_NAME = 'retried.ndjson';
const RETRY_EVENTS_MAX = 500;
const PLACE_KEYS = new Set(['journal.collector', 'journal.segment', 'journal.sequence']);

/**
 * The rejects: `<day>.ndjson` files, each line a `RejectEntry`, and `retried.ndjson`, which names
 * those that were tried again. A line is durable before the store's cursor passes its event. A
 * crash in between may write it twice; readers take the first of each place.
 */
export class RejectLog {
  readonly #options: RejectLogOptions;
  #retrying: Promise<unknown> = Promise.resolve();
  #today: { readonly name: string; readonly file: NdjsonFile } | undefined;

  constructor(options: RejectLogOptions) {
    this.#options = options;
  }

  /** Keeps events of a batch durably. One call at a time. */
  async keep(batch: Batch, rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return;
    const lines = linesOf(batch, rejects);
    await this.#append(
      rejects.map(({ sequence, reason }) =>
        this.#entry(batch, sequence, reason, lines.get(sequence)),
      ),
    );
  }

  /** Keeps a whole batch: one event, or a range that cannot be read. */
  async keepRange(batch: Batch, reason: string): Promise<void> {
    const { first, last, lines } = batch;
    if (lines.length > 0) {
      const sequences = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      return this.keep(
        batch,
        sequences.map((sequence) => ({ sequence, reason })),
      );
    }
    await this.#append([this.#entry(batch, first, reason, undefined, last)]);
  }

  /** Every reject once, in the order of their places. */
  async list(): Promise<RejectEntry[]> {
    const names = (await this.#options.disk.list(this.#options.folder)).toSorted();
    const entries = new Map<string, RejectEntry>();
    for (const name of names.filter((each) => /^\d{4}-\d\d-\d\d\.ndjson$/u.test(each))) {
      for (const line of await NdjsonFile.read(this.#options.disk, this.#path(name))) {
        const entry = JSON.parse(line) as RejectEntry;
        if (!entries.has(key(entry))) entries.set(key(entry), entry);
      }
    }
    const retried = await this.#retriedAt();
    return [...entries.values()]
      .map((entry) => {
        const at = retried.get(key(entry));
        return at === undefined ? entry : { ...entry, retried: at };
      })
      .toSorted((a, b) => compare(a, b));
  }

  /**
   * Appends rejects to the journal again, under their own identity, so that a crash in the middle
   * makes no doubles: the second try is a duplicate of the first.
   *
   * @returns how many were appended.
   */
  retry(
    journal: Pick<Journal, 'append'>,
    select: (entry: RejectEntry) => boolean,
  ): Promise<number> {
    const retried = this.#retrying.then(() => this.#retry(journal, select));
    this.#retrying = retried.catch(() => undefined);
    return retried;
  }

  async close(): Promise<void> {
    await this.#retrying;
    await this.#closeToday();
  }

  async #retry(
    journal: Pick<Journal, 'append'>,
    select: (entry: RejectEntry) => boolean,
  ): Promise<number> {
    const entries = (await this.list()).filter(
      (entry) => entry.retried === undefined && entry.event !== undefined && select(entry),
    );
    for (let from = 0; from < entries.length; from += RETRY_EVENTS_MAX) {
      const part = entries.slice(from, from + RETRY_EVENTS_MAX);
      await journal.append(part.map(lineAgain));
      await this.#markRetried(part);
    }
    return entries.length;
  }

  async #closeToday(): Promise<void> {
    await this.#today?.file.close();
    this.#today = undefined;
  }

  /** The event goes in as the text that it is: nothing is lost by parsing it. */
  #entry(batch: Batch, sequence: number, reason: string, line?: string, last?: number): string {
    const { collector, segment } = batch;
    const at = new Date(this.#options.clock.now()).toISOString();
    const entry = JSON.stringify({ at, collector, segment, sequence, last, reason });
    if (line === undefined) return entry;
    const [name, value] = isJson(line) ? ['event', line] : ['text', JSON.stringify(line)];
    return `${entry.slice(0, -1)},"${name}":${value}}`;
  }

  async #append(lines: readonly string[]): Promise<void> {
    const name = `${new Date(this.#options.clock.now()).toISOString().slice(0, 10)}.ndjson`;
    if (this.#today?.name !== name) {
      await this.#closeToday();
      this.#today = { name, file: await this.#open(name) };
    }
    await this.#today.file.append(lines);
  }

  async #open(name: string): Promise<NdjsonFile> {
    const { disk, folder } = this.#options;
    await disk.list(folder);
    return (await NdjsonFile.open(disk, this.#path(name))).file;
  }

  /** When each retried reject was, by its place. */
  async #retriedAt(): Promise<Map<string, string>> {
    const lines = await NdjsonFile.read(this.#options.disk, this.#path(RETRIED_NAME));
    const marks = lines.map((line) => JSON.parse(line) as RejectEntry);
    return new Map(marks.map((mark) => [key(mark), mark.at]));
  }

  async #markRetried(entries: readonly RejectEntry[]): Promise<void> {
    const at = new Date(this.#options.clock.now()).toISOString();
    const file = await this.#open(RETRIED_NAME);
    const marks = entries.map(({ collector, sequence }) => ({ at, collector, sequence }));
    await file.append(marks.map((mark) => JSON.stringify(mark)));
    await file.close();
  }

  #path(name: string): string {
    return join(this.#options.folder, name);
  }
}

function key({ collector, sequence }: Pick<RejectEntry, 'collector' | 'sequence'>): string {
  return `${collector} ${sequence}`;
}

function compare(a: RejectEntry, b: RejectEntry): number {
  if (a.collector !== b.collector) return a.collector < b.collector ? -1 : 1;
  return a.sequence - b.sequence;
}

/** The lines of these rejects, by their sequence. */
function linesOf(batch: Batch, rejects: readonly Reject[]): Map<number, string> {
  const wanted = new Set(rejects.map(({ sequence }) => sequence));
  const lines = new Map<number, string>();
  let start = 0;
  for (let sequence = batch.first; sequence <= batch.last; sequence++) {
    const end = batch.lines.indexOf(10, start);
    if (wanted.has(sequence)) lines.set(sequence, batch.lines.toString('utf8', start, end));
    start = end + 1;
  }
  return lines;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** An event without an id of its own was named by its place: it keeps that name. */
function lineAgain({ collector, sequence, event = {} }: RejectEntry): string {
  const own = Object.entries(event).filter(([name]) => !PLACE_KEYS.has(name));
  const id = event['event.id'] ?? placeName({ collector, sequence });
  return JSON.stringify({ ...Object.fromEntries(own), 'event.id': id });
}

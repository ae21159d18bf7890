/**
 * The archive: each closed segment of the journal as `<YYYY>/<MM>/<DD>/<collector>-<first>.ndjson.gz`
 * under the UTC day of its receipt. A file appears whole or not at all: it is written under another
 * name, synced and renamed before its segment is released. How far the archive has come is read
 * from its own files, so that it can neither skip a segment nor need a state of its own.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { Chore } from '../chores.ts';
import type { Clock } from '../clock.ts';
import type { Consumer, JournalBatch } from '../journal/consumer.ts';
import type { Journal } from '../journal/journal.ts';
import type { Segment } from '../journal/ledger.ts';

export interface ArchiveOptions {
  readonly journal: Journal;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error' | 'warn'>;
}

export interface ArchiveStatus {
  /** All before this sequence is archived. */
  readonly next: number;
  readonly lastError?: string;
}

const READ_LIMITS = { eventsMax: Number.POSITIVE_INFINITY, bytesMax: 1024 * 1024 };
/** Half the processor time of the default, for a tenth more bytes. */
const GZIP_LEVEL = constants.Z_BEST_SPEED;
const RETRY_MS = 10_000;

/** Archives one journal until it is stopped, whatever the folder does. */
export class Archive {
  readonly #options: ArchiveOptions;
  readonly #consumer: Consumer;
  readonly #chore: Chore;
  #lastError: string | undefined;

  constructor(options: ArchiveOptions) {
    this.#options = { ...options, folder: resolve(options.folder) };
    this.#consumer = options.journal.consumer('archive');
    this.#chore = new Chore((signal) => this.#work(signal), options.clock);
  }

  get status(): ArchiveStatus {
    const next = this.#consumer.releasedTo;
    return this.#lastError === undefined ? { next } : { next, lastError: this.#lastError };
  }

  start(): void {
    this.#chore.start();
  }

  /** Leaves the segment at hand for the next start. */
  async stop(): Promise<void> {
    await this.#chore.stop();
  }

  async #work(signal: AbortSignal): Promise<number> {
    try {
      this.#consumer.release(await this.#begin());
      while (!signal.aborted) await this.#step(signal);
    } catch (error) {
      if (!signal.aborted) {
        this.#lastError = error instanceof Error ? error.message : String(error);
        this.#options.log.error({ err: error }, 'archiving failed, it is tried again');
      }
    }
    return RETRY_MS;
  }

  async #step(signal: AbortSignal): Promise<void> {
    const next = this.#consumer.releasedTo;
    await this.#consumer.waitForClosed(next, signal);
    const segment = this.#consumer.segmentOf(next);
    if (signal.aborted || segment === undefined) return;
    await this.#consumer.seek(next);
    await this.#write(segment, signal);
    this.#consumer.release(segment.last + 1);
    this.#lastError = undefined;
  }

  async #write(segment: Segment, signal: AbortSignal): Promise<void> {
    const { folder } = this.#options;
    const path = this.#path(segment);
    const draft = `${path}.part`;
    await mkdir(dirname(path), { recursive: true });
    const lines = Readable.from(this.#lines(segment), { objectMode: false });
    const file = createWriteStream(draft, { flush: true });
    await pipeline(lines, createGzip({ level: GZIP_LEVEL }), file, { signal });
    await rename(draft, path);
    for (let at = dirname(path); at.length >= folder.length; at = dirname(at)) await syncFolder(at);
  }

  /** Each buffer is a copy: the gzip stream works on it while the next one is read. */
  async *#lines(segment: Segment): AsyncGenerator<Buffer> {
    while (this.#consumer.next <= segment.last) {
      const batch: JournalBatch | undefined = await this.#consumer.read(READ_LIMITS);
      if (batch === undefined) return;
      if (batch.damage === undefined) yield Buffer.from(batch.lines);
      else {
        const { first, last, damage } = batch;
        this.#options.log.error({ first, last, damage }, 'events cannot be archived');
      }
    }
  }

  #path({ segment, created }: Segment): string {
    const day = new Date(created).toISOString().slice(0, 10).split('-');
    const name = `${this.#options.journal.collector}-${String(segment).padStart(16, '0')}`;
    return join(this.#options.folder, ...day, `${name}${SUFFIX}`);
  }

  /** Where to go on; what was removed while there was no archive is named and left out. */
  async #begin(): Promise<number> {
    const { journal, log } = this.#options;
    const next = await this.#archivedTo();
    const oldest = journal.present()[0]?.segment ?? journal.last + 1;
    if (next >= oldest) return next;
    log.warn(
      { first: next, last: oldest - 1 },
      'events left the journal before they were archived',
    );
    return oldest;
  }

  /** The sequence after the last archived segment of this journal. */
  async #archivedTo(): Promise<number> {
    const { folder, journal } = this.#options;
    await mkdir(folder, { recursive: true });
    const names = await readdir(folder, { recursive: true });
    const mark = `${journal.collector}-`;
    const firsts = names
      .map((name) => name.split(/[/\\]/u).at(-1) ?? '')
      .filter((name) => name.startsWith(mark) && name.endsWith(SUFFIX))
      .map((name) => Number(name.slice(mark.length, -SUFFIX.length)));
    const newest = firsts.reduce((highest, first) => Math.max(highest, first), 0);
    const segment = this.#consumer.segmentOf(newest);
    return segment === undefined ? 1 : segment.last + 1;
  }
}

const SUFFIX = '.ndjson.gz';

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBResult,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { MetronomeError } from '../../errors.ts';
import { quotedText, SCHEMA_SQL } from './schema.ts';

/** A value bound to a `$n`. Dates become UTC timestamps; numbers are doubles. */
export type Param = string | number | boolean | Date;

export interface Statement {
  readonly sql: string;
  readonly params: readonly Param[];
}

export interface EngineOptions {
  /** Made when missing. The database, its log and the spill files lie in here. */
  readonly dataDir: string;
  /**
   * For one statement. Statements run beside each other in any case, and a second thread for each
   * costs a batch more work (10 us of processor time an event, not 6) than it saves time on a
   * machine that also takes the events in.
   */
  readonly threads?: number;
  /** For the engine's buffers; what it needs beside them comes to about as much again. */
  readonly memoryMb?: number;
}

/**
 * Queries at once. Each one holds a thread of libuv's pool of four while it runs, and the journal
 * needs that pool for its fsyncs: with the one writer, a thread is always left.
 */
const READERS_MAX = 2;

/**
 * The log is written into row groups when it reaches this size. Larger, and the batch that brings
 * it there waits for longer than a second.
 */
const CHECKPOINT_THRESHOLD = '32MB';

/** Freed memory goes back to the system when so much was in use: else it stays at the peak. */
const ALLOCATOR_FLUSH_THRESHOLD = '16MB';

/**
 * A batch that fills a row group is written to the file at once and compressed, and the log holds
 * only where; smaller ones go through the log as they are. So row groups are a fifth of the usual
 * size, which also lets a scan skip more.
 */
const ATTACH_OPTIONS = "ROW_GROUP_SIZE 24576, STORAGE_VERSION 'v1.5.0'";

/**
 * The one database file: opened at first use, opened again after an error that made the engine
 * give it up. One writer at a time, a few readers beside it, each on a connection of its own.
 */
export class Engine {
  readonly #options: EngineOptions;
  #opened: Promise<Opened> | undefined;
  #writer: Promise<unknown> = Promise.resolve();
  #readers = 0;
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  get dataDir(): string {
    return this.#options.dataDir;
  }

  /** Runs `work` on the writing connection, after all earlier writes. */
  write<T>(work: (connection: Session) => Promise<T>): Promise<T> {
    const result = this.#writer.then(() => this.#use('writer', work));
    this.#writer = result.catch(() => undefined);
    return result;
  }

  /** Runs `work` on a connection that sees the last commit. */
  async read<T>(work: (connection: Session) => Promise<T>): Promise<T> {
    while (this.#readers >= READERS_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#readers++;
    try {
      return await this.#use('reader', work);
    } finally {
      this.#readers--;
      this.#waiting.shift()?.();
    }
  }

  /**
   * Runs `work` on a connection of its own, whose result may be read after `work` has ended and
   * at the caller's pace.
   */
  async detached<T>(work: (connection: Session) => Promise<T>): Promise<T> {
    return this.#use('detached', work);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writer;
    const opened = await this.#opened?.catch(() => undefined);
    this.#opened = undefined;
    opened?.close();
  }

  async #use<T>(
    kind: 'writer' | 'reader' | 'detached',
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    try {
      const opened = await this.#open();
      const session = kind === 'writer' ? opened.writer : await opened.reader();
      const result = await work(session);
      if (kind === 'reader') opened.release(session);
      return result;
    } catch (error) {
      if (isFatal(error)) await this.#abandon();
      throw asMetronomeError(error);
    }
  }

  #open(): Promise<Opened> {
    if (this.#closed) throw new MetronomeError('unavailable', 'the store is closed');
    this.#opened ??= Opened.open(this.#options).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #abandon(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    this.#opened = undefined;
    opened?.close();
  }
}

/** A connection, as the store's parts use it. */
export class Session {
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  async run(sql: string, params: readonly Param[] = []): Promise<void> {
    await this.#connection.run(sql, bound(params));
  }

  async rows(sql: string, params: readonly Param[] = []): Promise<DuckDBValue[][]> {
    const result = await this.#connection.run(sql, bound(params));
    return result.getRows();
  }

  stream(sql: string, params: readonly Param[] = []): Promise<DuckDBResult> {
    return this.#connection.stream(sql, bound(params));
  }

  /** All of `work` or nothing. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run('BEGIN');
    try {
      const result = await work();
      await this.run('COMMIT');
      return result;
    } catch (error) {
      // The engine may have rolled back by itself; what counts is the first error.
      await this.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  close(): void {
    this.#connection.disconnectSync();
  }
}

/** An open database with its connections. */
class Opened {
  readonly #instance: DuckDBInstance;
  readonly writer: Session;
  readonly #idle: Session[] = [];

  private constructor(instance: DuckDBInstance, writer: Session) {
    this.#instance = instance;
    this.writer = writer;
  }

  static async open({ dataDir, threads = 1, memoryMb = 128 }: EngineOptions): Promise<Opened> {
    await mkdir(dataDir, { recursive: true });
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(threads),
      memory_limit: `${memoryMb}MB`,
      temp_directory: join(dataDir, 'metronome.duckdb.tmp'),
      checkpoint_threshold: CHECKPOINT_THRESHOLD,
      allocator_flush_threshold: ALLOCATOR_FLUSH_THRESHOLD,
      allocator_bulk_deallocation_flush_threshold: ALLOCATOR_FLUSH_THRESHOLD,
      preserve_insertion_order: 'false',
      // Nothing is ever fetched from the network.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    try {
      const writer = new Session(await instance.connect());
      const file = quotedText(join(dataDir, 'metronome.duckdb'));
      await writer.run(`ATTACH ${file} AS metronome (${ATTACH_OPTIONS})`);
      await writer.run('USE metronome');
      for (const sql of SCHEMA_SQL) await writer.run(sql);
      return new Opened(instance, writer);
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  async reader(): Promise<Session> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const session = new Session(await this.#instance.connect());
    await session.run('USE metronome');
    return session;
  }

  release(session: Session): void {
    this.#idle.push(session);
  }

  close(): void {
    for (const session of [this.writer, ...this.#idle]) session.close();
    this.#instance.closeSync();
  }
}

function bound(params: readonly Param[]): DuckDBValue[] {
  return params.map((param) =>
    param instanceof Date ? new DuckDBTimestampValue(BigInt(param.getTime()) * 1000n) : param,
  );
}

/** DuckDB tells its errors apart by how their message begins. */
const UNAVAILABLE =
  /^(IO|Out of Memory|FATAL|INTERNAL|TransactionContext|Connection|Interrupt|Fatal) Error/i;
const FATAL = /^(FATAL|INTERNAL) Error|database has been invalidated/i;

/** The engine would not take what it was given; all else is its own trouble. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error && /^(Invalid Input|Conversion|Constraint) Error/.test(error.message)
  );
}

function isFatal(error: unknown): boolean {
  return error instanceof Error && FATAL.test(error.message);
}

/** Callers see these messages: they hold no path and no value; the cause has both. */
function asMetronomeError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof MetronomeError) return error;
  if (/lock on file/i.test(error.message)) {
    const message = 'Another process has the data folder open: stop it, or choose another folder.';
    return new MetronomeError('config', message, { cause: error });
  }
  const isOfNode = 'syscall' in error;
  if (!isOfNode && !UNAVAILABLE.test(error.message)) return error;
  return new MetronomeError('unavailable', `The store cannot work for now: ${trouble(error)}.`, {
    cause: error,
    retryAfterS: 5,
  });
}

function trouble({ message }: Error): string {
  if (message.startsWith('Out of Memory')) return 'it is short of memory';
  if (/no space|too large/i.test(message)) return 'its disk is full';
  return 'its files cannot be read or written';
}

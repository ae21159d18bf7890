import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ROLLUP_SCHEMA_SQL } from './rollup-tables.ts';
import { quotedText, SCHEMA_SQL } from './schema.ts';
import { Session } from './session.ts';

export interface DatabaseOptions {
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
 * The log is written into row groups when it reaches this size. Until then what it says, deletions
 * above all, stays in memory, where it takes twice as much and nothing can drive it out.
 */
const CHECKPOINT_THRESHOLD = '8MB';

/** Freed memory goes back to the system when so much was in use: else it stays at the peak. */
const ALLOCATOR_FLUSH_THRESHOLD = '16MB';

/**
 * Of new files; a file keeps what it was made with. Each of the 45 columns takes whole blocks while a
 * batch is stored: with the usual 256 KiB that is 25 MB more, a tenth more processor time an event
 * and a file a third larger.
 */
const BLOCK_BYTES = '65536';

/**
 * A batch that fills row groups is written to the file at once and compressed, and the log holds
 * only where; smaller ones, and what is left over, go through the log as they are, which costs
 * twice as much. So a whole batch of delivery is two row groups. They are a tenth of the usual
 * size: one being filled lies in memory with all its columns, and a scan skips more.
 */
const ATTACH_OPTIONS = "ROW_GROUP_SIZE 12288, STORAGE_VERSION 'v1.5.0'";

/** An open database file with its connections. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly writer: Session;
  readonly #idle: Session[] = [];
  readonly #inUse = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  private constructor(instance: DuckDBInstance, writer: Session) {
    this.#instance = instance;
    this.writer = writer;
  }

  static async open({ dataDir, threads = 1, memoryMb = 96 }: DatabaseOptions): Promise<Database> {
    await mkdir(dataDir, { recursive: true });
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(threads),
      memory_limit: `${memoryMb}MB`,
      temp_directory: join(dataDir, 'metronome.duckdb.tmp'),
      checkpoint_threshold: CHECKPOINT_THRESHOLD,
      default_block_size: BLOCK_BYTES,
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
      await writer.run('PRAGMA disable_checkpoint_on_shutdown');
      for (const sql of [...SCHEMA_SQL, ...ROLLUP_SCHEMA_SQL]) await writer.run(sql);
      return new Database(instance, writer);
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** Runs `work`; the database is not closed before it has ended. */
  async use<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#inUse.add(ended);
    try {
      return await work(this);
    } finally {
      this.#inUse.delete(ended);
      end();
    }
  }

  /** Runs `work` on a connection that is kept for the next, unless it failed. */
  async read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#idle.pop() ?? (await this.#connect());
    try {
      const result = await work(session);
      this.#idle.push(session);
      return result;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  async #connect(): Promise<Session> {
    const session = new Session(await this.#instance.connect());
    await session.run('USE metronome');
    return session;
  }

  /**
   * Leaves the log as it is. To write it into the tables here as well, after that has failed, would
   * leave a second mark in it, with which the engine can never open the file again
   * (duckdb/duckdb#24260).
   */
  close(): Promise<void> {
    this.#closing ??= this.#closeUnused();
    return this.#closing;
  }

  async #closeUnused(): Promise<void> {
    await Promise.all(this.#inUse);
    for (const session of [this.writer, ...this.#idle]) session.close();
    this.#instance.closeSync();
  }
}

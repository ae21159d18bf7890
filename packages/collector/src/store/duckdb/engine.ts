import type { DuckDBValue } from '@duckdb/node-api';
import { MetronomeError } from '../../errors.ts';
import { Database, type DatabaseOptions } from './database.ts';
import type { Session, Statement } from './session.ts';
import { Slots } from './slots.ts';
import { asMetronomeError, isFatal, isShortOfMemory } from './trouble.ts';

/**
 * Queries at once. Each holds a core and a thread of libuv's pool while it runs, and the intake
 * needs some of both.
 */
const READERS_MAX = 2;

/**
 * The one database file: opened at first use, opened again after an error that made the engine
 * give it up. One writer at a time, a few readers beside it, each on a connection of its own.
 * They share the engine's memory: what runs short of it runs once more with no reader beside it.
 */
export class Engine {
  readonly #options: DatabaseOptions;
  readonly #readers = new Slots(READERS_MAX);
  #database: Promise<Database> | undefined;
  #writer: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  get dataDir(): string {
    return this.#options.dataDir;
  }

  /** Runs `work`, perhaps twice, on the writing connection, after all earlier writes. */
  write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const once = (): Promise<T> => this.#use((database) => work(database.writer));
    const result = this.#writer.then(() => this.#orAlone(once, once, true));
    this.#writer = result.catch(() => undefined);
    return result;
  }

  /** Likewise with no query beside it; only an export may be under way. */
  writeAlone<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const once = (): Promise<T> => this.#use((database) => work(database.writer));
    const result = this.#writer.then(() => this.#readers.hold(READERS_MAX, once, true));
    this.#writer = result.catch(() => undefined);
    return result;
  }

  /** Runs `work`, perhaps twice, on a connection that sees the last commit. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const once = (): Promise<T> => this.#use((database) => database.read(work));
    return this.#orAlone(() => this.#readers.hold(1, once), once);
  }

  /** Gives the rows of a query as they come, at the caller's pace. */
  async *stream({ sql, params }: Statement): AsyncGenerator<DuckDBValue[]> {
    const session = await this.#use((database) => database.connect());
    try {
      const result = await session.stream(sql, params);
      for await (const rows of result.yieldRows()) yield* rows;
    } catch (error) {
      throw asMetronomeError(error);
    } finally {
      session.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writer;
    const database = await this.#database?.catch(() => undefined);
    await database?.close();
  }

  async #orAlone<T>(work: () => Promise<T>, alone: () => Promise<T>, isUrgent = false): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isShortOfMemory(error)) throw error;
      return await this.#readers.hold(READERS_MAX, alone, isUrgent);
    }
  }

  async #use<T>(work: (database: Database) => Promise<T>): Promise<T> {
    try {
      const database = await this.#open();
      return await database.use(work).catch((error: unknown) => {
        if (isFatal(error)) this.#openAgain(database);
        throw error;
      });
    } catch (error) {
      throw asMetronomeError(error);
    }
  }

  #open(after: Promise<void> = Promise.resolve()): Promise<Database> {
    if (this.#isClosed) throw new MetronomeError('unavailable', 'The store is closed.');
    this.#database ??= after
      .then(() => Database.open(this.#options))
      .catch((error: unknown) => {
        this.#database = undefined;
        throw error;
      });
    return this.#database;
  }

  /** What was given up is closed first: no file is ever open twice. */
  #openAgain(database: Database): void {
    if (database.isClosing || this.#isClosed) return;
    this.#database = undefined;
    // Whoever comes next sees how it went.
    this.#open(database.close()).catch(() => undefined);
  }
}

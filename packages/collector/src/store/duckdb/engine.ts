import { MetronomeError } from '../../errors.ts';
import { Database, type DatabaseOptions } from './database.ts';
import type { Session } from './session.ts';
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
 * They share the engine's memory: what runs short of it runs once more with no reader beside it,
 * with nothing of the log in memory, and, if it writes, on a file that was opened anew: rows that a
 * write was about to delete when it ran short stay locked until then.
 */
export class Engine {
  readonly #options: DatabaseOptions;
  readonly #readers = new Slots(READERS_MAX);
  #database: Promise<Database> | undefined;
  #writer: Promise<unknown> = Promise.resolve();
  #upkeep: Promise<unknown> = Promise.resolve();
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
    const result = this.#writer.then(() => this.#orAlone(once, { writes: true, isUrgent: true }));
    this.#writer = result.catch(() => undefined);
    return result;
  }

  /** Likewise with no query beside it: what is known of the tables can change with them. */
  writeUnseen<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const once = (): Promise<T> => this.#use((database) => work(database.writer));
    return this.#unseen(() =>
      once().catch((error: unknown) => {
        if (!isShortOfMemory(error)) throw error;
        return this.#relieved(once, true);
      }),
    );
  }

  /** Likewise with no query and no upkeep beside it. */
  writeAlone<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.inTurn(() => this.writeUnseen(work));
  }

  /**
   * Closes the file and opens it again, with nothing beside it: what the engine has once read or
   * written it describes in memory until then, some 10 bytes for each event.
   */
  renew(): Promise<void> {
    return this.inTurn(() =>
      this.#unseen(async () => {
        // What is in the log would have to be read again.
        await this.checkpoint();
        this.#openAgain(await this.#open());
        await this.#open();
      }),
    );
  }

  /**
   * Runs `work` after all earlier writes, with no query beside it. With upkeep it comes in its turn
   * among that: it may write too, and each would wait for the other.
   */
  #unseen<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#writer.then(() => this.#readers.hold(READERS_MAX, work, true));
    this.#writer = result.catch(() => undefined);
    return result;
  }

  /**
   * Likewise on a connection of its own, beside the writer and the readers, after all earlier
   * upkeep. It must not write by `write`, or each would wait for the other when memory runs short.
   */
  upkeep<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const once = (): Promise<T> => this.#use((database) => database.read(work));
    return this.inTurn(() => this.#orAlone(once, { writes: true }));
  }

  /** Runs `work` when its turn among the upkeep has come: while it runs, tables are not put in order. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#upkeep.then(work);
    this.#upkeep = result.catch(() => undefined);
    return result;
  }

  /** No query is under way. */
  get isQuiet(): boolean {
    return this.#readers.areFree;
  }

  /** Waits for the reads under way. */
  settled(): Promise<void> {
    return this.#readers.hold(READERS_MAX, () => Promise.resolve());
  }

  /** Runs `work`, perhaps twice, on a connection that sees the last commit. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const once = (): Promise<T> => this.#use((database) => database.read(work));
    return this.#orAlone(() => this.#readers.hold(1, once), { alone: once });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#writer, this.#upkeep]);
    const database = await this.#database?.catch(() => undefined);
    await database?.read(writeLog).catch(() => undefined);
    await database?.close();
  }

  async #orAlone<T>(
    work: () => Promise<T>,
    { alone = work, writes = false, isUrgent = false }: Relief<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isShortOfMemory(error)) throw error;
      return await this.#readers.hold(READERS_MAX, () => this.#relieved(alone, writes), isUrgent);
    }
  }

  async #relieved<T>(work: () => Promise<T>, writes: boolean): Promise<T> {
    await this.checkpoint();
    if (writes) this.#openAgain(await this.#open());
    return work();
  }

  /** Writes the log into the tables; the engine refuses while a write is under way. */
  checkpoint(): Promise<void> {
    return this.#use((database) => database.read(writeLog)).catch(() => undefined);
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

/** How work goes that ran short of memory. */
interface Relief<T> {
  /** The same without a slot. */
  readonly alone?: () => Promise<T>;
  readonly writes?: boolean;
  /** It goes before the readers that wait. */
  readonly isUrgent?: boolean;
}

/** Writes the log into the tables. */
function writeLog(session: Session): Promise<void> {
  return session.run('CHECKPOINT');
}

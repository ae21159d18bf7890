import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { EventStore } from './event-store.ts';

const DAY_MS = 86_400_000;
/** After a failure, such as a store that is away. */
const RETRY_MS = 60_000;

export interface RetentionOptions {
  readonly store: Pick<EventStore, 'expire'>;
  /** Whole days before today that are kept. */
  readonly days: number;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Drops the days that are older than the retention: at the start and after each UTC midnight. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Lets the running expiry end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const startedAt = clock.now();
      const done = await this.#expire(startedAt);
      const midnight = (Math.floor(startedAt / DAY_MS) + 1) * DAY_MS;
      await clock.sleep(done ? Math.max(0, midnight - clock.now()) : RETRY_MS, signal);
    }
  }

  async #expire(now: number): Promise<boolean> {
    const { store, days, log } = this.#options;
    const before = new Date(now - days * DAY_MS).toISOString().slice(0, 10);
    try {
      const events = await store.expire(before);
      if (events > 0) log.info({ before, events }, 'days beyond the retention are dropped');
      return true;
    } catch (error) {
      log.warn({ err: error, before }, 'old days are not dropped yet, it is tried again');
      return false;
    }
  }
}

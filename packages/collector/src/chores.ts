/** What the collector does beside taking and answering: one loop, and what runs in it. */
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { EventStore } from './event-store.ts';
import { firstKept } from './first-kept.ts';

const DAY_MS = 86_400_000;
/** After a failure, such as a store that is away. */
const RETRY_MS = 60_000;
const MAINTAIN_INTERVAL_MS = 60_000;
/** Earlier than the day of any event. */
const BEGINNING = '0001-01-01';
/** Maintenance is put off so often in a row while the store has more urgent work. */
const PUT_OFF_MAX = 10;

/** Does its work and says how many ms later it is due again; never rejects. */
export type Work = (signal: AbortSignal) => Promise<number>;

/** Does work again and again, one run at a time. */
export class Chore {
  readonly #work: Work;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(work: Work, clock: Clock) {
    this.#work = work;
    this.#clock = clock;
  }

  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Lets the run under way end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#clock.sleep(await this.#work(signal), signal);
  }
}

export interface RetentionOptions {
  readonly store: Pick<EventStore, 'expire'>;
  /** Whole days before today that are kept. */
  readonly days: number;
  /** The same of counts, where that is longer; 0: for ever. */
  readonly countsDays?: number;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Drops the days that are older than the retention: at the start and after each UTC midnight. */
export function retention({ store, days, countsDays, clock, log }: RetentionOptions): Work {
  return async () => {
    const startedAt = clock.now();
    const firstOf = (kept: number): string =>
      new Date(firstKept(startedAt, kept)).toISOString().slice(0, 10);
    const before = firstOf(days);
    try {
      const events =
        countsDays === undefined || countsDays === days
          ? await store.expire(before)
          : await store.expire(before, countsDays === 0 ? BEGINNING : firstOf(countsDays));
      if (events > 0) log.info({ before, events }, 'days beyond the retention are dropped');
    } catch (error) {
      log.warn({ err: error, before }, 'old days are not dropped yet, it is tried again');
      return RETRY_MS;
    }
    const midnight = (Math.floor(startedAt / DAY_MS) + 1) * DAY_MS;
    return Math.max(0, midnight - clock.now());
  };
}

export interface MaintenanceOptions {
  readonly store: Pick<EventStore, 'maintain'>;
  /** Whether the store is behind with the events that arrive. */
  readonly isBusy: () => boolean;
  readonly log: Pick<Logger, 'warn'>;
}

/** Lets the store do what can wait, such as its rollups, every minute; later while it is busy. */
export function maintenance({ store, isBusy, log }: MaintenanceOptions): Work {
  let putOff = 0;
  return async (signal) => {
    if (isBusy() && putOff++ < PUT_OFF_MAX) return MAINTAIN_INTERVAL_MS;
    putOff = 0;
    try {
      await store.maintain(signal);
    } catch (error) {
      log.warn({ err: error }, 'the store is not tidied up yet, it is tried again');
    }
    return MAINTAIN_INTERVAL_MS;
  };
}

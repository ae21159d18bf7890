/**
 * Journal to store. Exactly once rests on two facts: the store keeps cursor and tally in one
 * commit (`EventStore.append`), and delivery asks it for the cursor after every failure instead
 * of guessing. What the store can never take goes to the reject log before the cursor passes it.
 *
 * Where many events wait, a store that likes to gets the next batch while it is still at work on
 * the last one.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { MetronomeError } from '../errors.ts';
import type { Batch, EventStore, KeepRejects } from '../event-store.ts';
import type { Consumer, JournalBatch } from '../journal/consumer.ts';
import type { Journal } from '../journal/journal.ts';
import type { RejectLog } from './reject-log.ts';

export interface DeliveryOptions {
  readonly journal: Journal;
  readonly store: Pick<EventStore, 'appendsAtOnce' | 'cursor' | 'append'>;
  readonly rejects: Pick<RejectLog, 'keep' | 'keepRange'>;
  readonly clock: Clock;
  /** In 0..1, for the jitter of retries. */
  readonly random: () => number;
  /** Whether the intake could use the processor that delivery would take; default never. */
  readonly isBusy?: () => boolean;
  readonly log: Pick<Logger, 'error' | 'warn' | 'info'>;
  readonly batchEventsMax?: number;
  readonly batchBytesMax?: number;
  /** An event waits so long at most for others to join its batch. */
  readonly batchDelayMs?: number;
}

export const DELIVERY_LIMITS = {
  /** More would cost no less each, and DuckDB writes exactly so many as two whole row groups. */
  batchEventsMax: 24_576,
  /** So many of a usual size. */
  batchBytesMax: 20 * 1024 * 1024,
  batchDelayMs: 100,
  /** So many in that time are a stream: more of them are awaited, up to a whole batch. */
  streamEventsMin: 1_000,
  streamDelayMs: 1_400,
  /** Rest after a batch while the intake is busy: so many times as long as the batch took. */
  restFactor: 8,
  restMaxMs: 4_000,
  retryMinMs: 100,
  retryMaxMs: 30_000,
} as const;

export interface DeliveryStatus {
  readonly state: 'starting' | 'delivering' | 'retrying' | 'stopped';
  /** Acknowledged events that are not in the store yet. */
  readonly waiting: number;
  /** Age of the oldest of them; 0 when none waits. */
  readonly lagMs: number;
  /** Failed calls of the store since the start. */
  readonly errors: number;
  /** Why it is not delivering, while it is not. */
  readonly lastError?: string;
  /** Since the start of the process; `audit` has them for ever. */
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
}

/** Delivers one journal to one store until it is stopped. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #consumer: Consumer;
  readonly #limits: { eventsMax: number; bytesMax: number; delayMs: number };
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #state: DeliveryStatus['state'] = 'starting';
  #cursor: number | undefined;
  /** What waited at the start, before this sequence, has waited long enough for more to join it. */
  #gatherFrom = 0;
  /** Up to this sequence one batch is under way at a time. */
  #aloneTo = 0;
  /** Batches that are read and not stored, the oldest first. */
  readonly #inHand = new Set<JournalBatch>();
  /** Since when the next event waits that is in no batch yet, at the latest, epoch ms; 0: none does. */
  #waitingSince = 0;
  #restMs = 0;
  #failures = 0;
  #errors = 0;
  #lastError: string | undefined;
  readonly #counts = { stored: 0, duplicates: 0, rejected: 0 };

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#consumer = options.journal.consumer('store');
    this.#limits = {
      eventsMax: options.batchEventsMax ?? DELIVERY_LIMITS.batchEventsMax,
      bytesMax: options.batchBytesMax ?? DELIVERY_LIMITS.batchBytesMax,
      delayMs: options.batchDelayMs ?? DELIVERY_LIMITS.batchDelayMs,
    };
  }

  get status(): DeliveryStatus {
    const { journal, clock } = this.#options;
    const next = this.#cursor ?? journal.present()[0]?.segment ?? journal.last + 1;
    const waiting = Math.max(0, journal.last + 1 - next);
    const [batch] = this.#inHand;
    const unread = this.#cursor === undefined ? journal.present()[0]?.created : this.#waitingSince;
    const oldest = batch?.time ?? unread;
    return {
      state: this.#state,
      waiting,
      lagMs: !oldest || waiting === 0 ? 0 : Math.max(0, clock.now() - oldest),
      errors: this.#errors,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...this.#counts,
    };
  }

  /** Begins to deliver; for ever, whatever the store does. */
  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Lets the running append end, and delivers no more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#begin();
        await this.#deliver(signal);
      } catch (error) {
        if (!(error instanceof Refused)) await this.#backOff(error, signal);
      }
    }
    this.#state = 'stopped';
  }

  async #begin(): Promise<void> {
    const { journal, store } = this.#options;
    const cursor = await store.cursor(journal.collector);
    if (cursor > journal.last + 1) {
      const message = `The store has events of the journal ${journal.collector} up to ${cursor - 1}, but the journal ends at ${journal.last}: the data folder is older than the store.`;
      throw new MetronomeError('config', message);
    }
    this.#cursor = cursor;
    this.#inHand.clear();
    this.#gatherFrom = journal.last + 1;
    await this.#consumer.seek(cursor);
    this.#consumer.release(cursor);
    this.#waitingSince =
      cursor > journal.last ? 0 : (this.#consumer.segmentOf(cursor)?.created ?? 0);
    // Where events wait, only one that is stored shows that the store takes them.
    if (cursor > journal.last) this.#succeed();
  }

  /** Until it is stopped. Nothing is under way any more when it returns or throws. */
  async #deliver(signal: AbortSignal): Promise<void> {
    let last: Promise<void> = Promise.resolve();
    let next = last;
    try {
      while (!signal.aborted) {
        if (!this.#mayGoAhead()) await last;
        await this.#giveWay(signal);
        await this.#gather(signal);
        if (signal.aborted) break;
        const batch = await this.#consumer.read({
          ...this.#limits,
          held: this.#options.store.appendsAtOnce,
        });
        if (batch === undefined) continue;
        // Rejects are kept one batch after the other.
        if (batch.damage !== undefined) await last;
        next = this.#take(batch);
        // It is waited for when the one before it is done.
        next.catch(() => undefined);
        await last;
        last = next;
      }
    } finally {
      // What went wrong first is thrown; what comes after it went wrong for that.
      await Promise.allSettled([last, next]);
    }
    await next;
  }

  /** Whether a whole batch more waits, and the store would begin with it. */
  #mayGoAhead(): boolean {
    const { journal, store } = this.#options;
    if (this.#cursor === undefined || this.#cursor <= this.#aloneTo) return false;
    const waiting = journal.last + 1 - this.#consumer.next;
    return store.appendsAtOnce > 1 && waiting >= this.#limits.eventsMax;
  }

  /** Events that wait are safe, those that are not taken are lost: under load the intake goes first. */
  async #giveWay(signal: AbortSignal): Promise<void> {
    const { clock, isBusy } = this.#options;
    if (isBusy?.() === true && this.#restMs > 0) await clock.sleep(this.#restMs, signal);
  }

  async #take(batch: JournalBatch): Promise<void> {
    const { clock, journal } = this.#options;
    const start = clock.now();
    this.#inHand.add(batch);
    // What comes after it was committed later.
    this.#waitingSince = journal.last > batch.last ? batch.until : 0;
    if (batch.damage === undefined) await this.#append(batch);
    else await this.#reject(batch, batch.damage);
    this.#inHand.delete(batch);
    this.#consumer.release(batch.last + 1);
    const { restFactor, restMaxMs } = DELIVERY_LIMITS;
    this.#restMs = Math.max(0, Math.min((clock.now() - start) * restFactor, restMaxMs));
    this.#succeed();
  }

  #succeed(): void {
    this.#state = 'delivering';
    this.#failures = 0;
    this.#lastError = undefined;
  }

  /** Waits for an event, then for more: a little in a trickle, longer in a stream. */
  async #gather(signal: AbortSignal): Promise<void> {
    const { clock, journal } = this.#options;
    const { eventsMax, delayMs } = this.#limits;
    const { next } = this.#consumer;
    await this.#consumer.waitFor(next, signal);
    this.#waitingSince ||= clock.now();
    if (delayMs === 0 || next < this.#gatherFrom) return;
    await this.#waitForMore(next + eventsMax - 1, delayMs, signal);
    const { streamEventsMin, streamDelayMs } = DELIVERY_LIMITS;
    if (journal.last - next + 1 < streamEventsMin) return;
    await this.#waitForMore(next + eventsMax - 1, streamDelayMs, signal);
  }

  /** Until the event of this sequence is there, or the time is over. */
  async #waitForMore(sequence: number, delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock, journal } = this.#options;
    if (journal.last >= sequence || signal.aborted) return;
    const waiting = new AbortController();
    const either = AbortSignal.any([signal, waiting.signal]);
    await Promise.race([clock.sleep(delayMs, either), this.#consumer.waitFor(sequence, either)]);
    waiting.abort();
  }

  /**
   * By halves where the store can never take the whole, down to the one event: in a second try,
   * with no other batch under way that would come between the halves.
   */
  async #append(batch: Batch): Promise<void> {
    try {
      await this.#store(batch, (rejects) => this.#options.rejects.keep(batch, rejects));
    } catch (error) {
      if (!(error instanceof MetronomeError) || error.code !== 'bad-request') throw error;
      if (batch.first > this.#aloneTo) {
        this.#aloneTo = batch.last;
        throw new Refused('The store refuses a batch as a whole.', { cause: error });
      }
      if (batch.first === batch.last) return this.#reject(batch, error.message);
      const [left, right] = halves(batch);
      await this.#append(left);
      await this.#append(right);
    }
  }

  async #reject(batch: Batch, reason: string): Promise<void> {
    const { log, rejects } = this.#options;
    log.warn({ first: batch.first, last: batch.last, reason }, 'events are rejected');
    await rejects.keepRange(batch, reason);
    await this.#store({ ...batch, lines: Buffer.alloc(0) }, () => Promise.resolve());
  }

  async #store(batch: Batch, keepRejects: KeepRejects): Promise<void> {
    const { stored, duplicates, rejected } = await this.#options.store.append(batch, keepRejects);
    this.#cursor = batch.last + 1;
    this.#counts.stored += stored;
    this.#counts.duplicates += duplicates;
    this.#counts.rejected += rejected;
  }

  async #backOff(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    this.#state = 'retrying';
    this.#failures += 1;
    this.#errors += 1;
    this.#lastError = error instanceof Error ? error.message : String(error);
    const delayMs = retryDelayMs(this.#failures, random);
    const isForeseen = error instanceof MetronomeError && error.code === 'unavailable';
    const facts = { err: error, failures: this.#failures, delayMs };
    if (isForeseen) log.warn(facts, 'the store is not available, delivery tries again');
    else log.error(facts, 'delivery failed, it tries again');
    await clock.sleep(delayMs, signal);
  }
}

/** The batch comes again at once, and alone. */
class Refused extends Error {}

/** Exponential back-off with full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/). */
export function retryDelayMs(failures: number, random: () => number): number {
  const { retryMinMs, retryMaxMs } = DELIVERY_LIMITS;
  // Beyond 2^20 the maximum holds anyway.
  const cap = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(failures, 20));
  return Math.round(retryMinMs + (cap - retryMinMs) * random());
}

function halves(batch: Batch): [Batch, Batch] {
  const middle = Math.floor((batch.first + batch.last) / 2);
  let at = 0;
  for (let sequence = batch.first; sequence <= middle; sequence++) {
    at = batch.lines.indexOf(10, at) + 1;
  }
  return [
    { ...batch, last: middle, lines: batch.lines.subarray(0, at) },
    { ...batch, first: middle + 1, lines: batch.lines.subarray(at) },
  ];
}

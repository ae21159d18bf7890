import { MetronomeError } from '../../errors.ts';
import type { RollupProgress } from '../../event-store.ts';
import { stepsOf } from '../../query/others.ts';
import type { Query } from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { rollupsCalled } from '../rollups-called.ts';
import type { DeclaredRollup } from './declared-rollup.ts';
import type { Engine } from './engine.ts';
import { excerpts, planExcerpt } from './excerpts.ts';
import { KnownState } from './known-state.ts';
import { PIECE_EVENTS, type Waiting, waitingFor } from './pieces.ts';
import { RollupCounter } from './rollup-counter.ts';
import {
  countsFrom,
  DAY_MS,
  type ExcerptPlan,
  planRollups,
  type RollupPlan,
  type RollupState,
} from './rollup-plan.ts';
import { countedOf, eventsIn, markDirty } from './rollup-state.ts';
import { counts, type Rollup } from './rollup.ts';
import { deleteForgotten, forgetBefore, forgetSizes, noteAgain } from './rollup-tables.ts';
import type { Session, Statement } from './session.ts';
import { inStretches } from './stretch.ts';

/** So many events are read live at most, but for those of a minute. */
const LIVE_EVENTS_MAX = 100_000;
/** Before days are dropped whose counts stay, so many are counted at once. */
const WAITING_EVENTS_MAX = 4 * PIECE_EVENTS;
/** How long it is good enough to know how many events have come since the last count. */
const BEHIND_KNOWN_MS = 1_000;
const STILL_COUNTING = 'Events are dropped when they are counted, and many are still to be.';

/**
 * Counts of events, so that the cost of a tock does not grow with them: tables in which the rows
 * of four weeks lie by item, so that a tock reads a row group or two of each.
 *
 * What is counted is a matter of arrival, not of time: every event of a batch up to `upTo` is in
 * a rollup once, every later one is read live. So nothing arrives too late, and no stored count
 * is ever added to: new events make new rows, which are put together when a period is sorted. Rows
 * say which state they came with (`run`), so that a reader who knows an older one leaves them out.
 *
 * What is erased is marked dirty in the same commit (app, day, item), read live, and counted anew
 * from the events. So can be all that is counted, at any time (see `rebuild`), but for the days
 * whose events are gone where counts are kept longer (`outlived`).
 */
export class Rollups {
  readonly #engine: Engine;
  readonly #declared: readonly DeclaredRollup[];
  readonly #wanted: readonly Rollup[];
  readonly #known: KnownState;
  readonly #counter: RollupCounter;
  /** UTC day of the last count, in days since 1970. */
  #countedOn = 0;
  /** Batches that are being stored, and that ever were. */
  #storing = 0;
  #begun = 0;
  /** While events come in it is asked with every tock. */
  #behind:
    | { readonly batch: number; readonly at: number; readonly events: Promise<number> }
    | undefined;

  constructor(engine: Engine, declared: readonly DeclaredRollup[], keepsUndeclared: boolean) {
    this.#engine = engine;
    this.#declared = declared;
    this.#wanted = [counts, ...excerpts, ...declared];
    this.#known = new KnownState(engine, this.#wanted, keepsUndeclared);
    this.#counter = new RollupCounter(engine, this.#wanted, this.#known);
  }

  get all(): readonly Rollup[] {
    return this.#wanted;
  }

  state(session: Session): Promise<RollupState> {
    return this.#known.seenBy(session);
  }

  /** How a query is answered now; undefined: from the events alone. */
  async plan(session: Session, query: Query): Promise<RollupPlan | undefined> {
    const state = await this.#known.seenBy(session);
    return planRollups(query, state, this.#declared) ?? planExcerpt(query, state);
  }

  /** Whether counts answer a query now, and no more than so many events are read beside them. */
  async isCountedAhead(query: Query, eventsMax: number): Promise<boolean> {
    const state = await this.#known.current();
    const plans = stepsOf(query).map((one) => planRollups(one, state, this.#declared));
    const [plan] = plans;
    if (plan === undefined || plans.includes(undefined)) return false;
    if (plan.behind.length === 0 && plan.live.length === 0) return true;
    const upTo = Math.min(plan.upTo, countedOf(state, counts).upTo);
    const [behind, live] = await Promise.all([
      this.#eventsAfter(upTo),
      plan.live.length > 0
        ? this.#engine.read((session) => eventsIn(session, plan.live, state.outlived))
        : 0,
    ]);
    return behind + live <= eventsMax;
  }

  /** See `EventStore`. */
  async countsFrom(query: Query): Promise<number> {
    const state = await this.#known.current();
    return Math.max(...stepsOf(query).map((one) => countsFrom(one, state, this.#declared)));
  }

  /** Events of the batches after one, as of a moment ago. */
  #eventsAfter(batch: number): Promise<number> {
    const now = performance.now();
    const known = this.#behind;
    if (known?.batch === batch && now - known.at < BEHIND_KNOWN_MS) return known.events;
    const events = this.#engine.read(async (session) => {
      const sql = 'SELECT count(*) FROM events WHERE batch > $1';
      const [[count = 0] = []] = await session.rows(sql, [batch]);
      return Number(count);
    });
    this.#behind = { batch, at: now, events };
    events.catch(() => (this.#behind = undefined));
    return events;
  }

  async planScan(session: Session, scan: Scan): Promise<ExcerptPlan | undefined> {
    return planExcerpt(scan, await this.#known.seenBy(session));
  }

  /** How many of the events are in each rollup. */
  progress(): Promise<readonly RollupProgress[]> {
    return this.#engine.read(async (session) => {
      const state = await this.#known.seenBy(session);
      return session.transaction(async () => {
        const [[all = 0] = []] = await session.rows('SELECT count(*) FROM events');
        const progress: RollupProgress[] = [];
        for (const rollup of this.#wanted) {
          const waiting = await waitingFor(session, countedOf(state, rollup));
          progress.push(this.#progressOf(rollup, Number(all), waiting));
        }
        return progress;
      });
    });
  }

  #progressOf({ title }: Rollup, events: number, waiting: Waiting): RollupProgress {
    const counted = events - waiting.events - waiting.again;
    const hasBegun = waiting.events === 0 || counted > 0 || this.#countedOn > 0;
    const isFew = waiting.events < LIVE_EVENTS_MAX && waiting.again === 0;
    return { name: title, events, counted, isUpToDate: hasBegun && isFew };
  }

  /** Runs `work`, which stores a batch. */
  async storing<T>(work: () => Promise<T>): Promise<T> {
    this.#begun++;
    this.#storing++;
    // Before the commit: to look for events that are not there yet is no mistake, the reverse is.
    this.#known.change((known) => ({ ...known, last: undefined }));
    try {
      return await work();
    } finally {
      this.#storing--;
    }
  }

  /**
   * Has the rollups of a name counted anew by `keepUp`, from the first day whose events are there.
   * Until a day is counted it is read live.
   */
  async rebuild(name: string): Promise<void> {
    for (const rollup of rollupsCalled(name, this.#wanted)) {
      await this.#known.upkeep(async (session, state) => {
        const { since } = countedOf(state, rollup);
        const again = rollup.isOfEvents ? since : Math.max(since, state.outlived);
        await session.transaction(async () => {
          await forgetSizes(session, rollup, again);
          await noteAgain(session, rollup, again);
        });
        this.#known.changeOf(rollup, { again });
      });
    }
  }

  /**
   * Runs `work`, which takes events out, while nothing is counted. In its own transaction it marks
   * dirty what it is about to take out.
   */
  correcting<T>(work: (markDirty: MarkDirty, state: RollupState) => Promise<T>): Promise<T> {
    return this.#known.inTurn((state) =>
      work(async (session, where) => {
        const marked = await markDirty(session, state, where);
        // Before the commit: a part that is read live for nothing is no mistake, the reverse is.
        this.#known.change((known) => ({ ...known, dirty: marked }));
      }, state),
    );
  }

  /**
   * Runs `work`, which drops the events of the days before one whose counts stay, while nothing is
   * counted; of these days nothing is to be counted anew, in no rollup. Gives undefined where there
   * are no events. Throws `unavailable` while so many are still to be counted that it is left to
   * `keepUp`.
   */
  async outliving<T>(
    day: number,
    work: (state: RollupState, noteOutlived: (day: number) => void) => Promise<T>,
  ): Promise<T | undefined> {
    for (;;) {
      await this.countDirty(NEVER);
      for (const rollup of this.#wanted) {
        const { events, again } = await this.#counter.waiting(rollup);
        if (Math.max(events, again) > WAITING_EVENTS_MAX) {
          throw new MetronomeError('unavailable', STILL_COUNTING);
        }
        await this.#counter.countAgain(rollup, NEVER);
        await this.#counter.countArrived(rollup, NEVER);
      }
      const done = await this.#known.inTurn(async (state): Promise<{ result?: T } | undefined> => {
        const again = Math.min(...[...state.rollups.values()].map((one) => one.again));
        if (again < day) return undefined;
        if (state.dirty.some((part) => part.day < day)) return undefined;
        // Of a store without events nothing is counted, nor would be what has come since.
        if (this.#wanted.some((rollup) => countedOf(state, rollup).upTo === 0)) return {};
        const noteOutlived = (outlived: number): void =>
          this.#known.change((known) => ({ ...known, outlived }));
        return { result: await work(state, noteOutlived) };
      });
      if (done) return done.result;
    }
  }

  /**
   * Counts what is dirty anew, then what has arrived: once a day, and whenever it has come to many.
   * Piece by piece, beside the writer and the readers; a signal stops it after the one under way.
   */
  async keepUp(now: number, signal: AbortSignal): Promise<void> {
    await this.countDirty(signal);
    for (const rollup of this.#wanted) await this.#counter.countAgain(rollup, signal);
    const today = Math.floor(now / DAY_MS);
    for (const rollup of this.#wanted) {
      const isDue = today > this.#countedOn;
      await this.#counter.countArrived(rollup, signal, isDue ? 0 : LIVE_EVENTS_MAX);
    }
    if (signal.aborted) return;
    this.#countedOn = today;
    await this.#noteLast();
    for (const rollup of this.#wanted) await this.#counter.sortPeriods(rollup, signal);
  }

  /** Counts anew what is dirty. */
  countDirty(signal: AbortSignal): Promise<void> {
    return this.#counter.countDirty(signal);
  }

  /**
   * Forgets the days before a UTC day (`2026-11-23`), and of what is counted those before another,
   * where counts are kept longer than events.
   */
  async forget(before: string, countsBefore: string): Promise<void> {
    const ends = this.#wanted.map((rollup) => ({
      rollup,
      day: Date.parse(rollup.isOfEvents ? before : countsBefore),
    }));
    await this.#forgetState(ends, Date.parse(countsBefore));
    for (const { rollup, day } of ends) {
      for (const table of rollup.tables) {
        await inStretches(this.#engine, () =>
          this.#known.upkeep((session) => deleteForgotten(session, table, day)),
        );
      }
    }
  }

  async #forgetState(
    ends: readonly { readonly rollup: Rollup; readonly day: number }[],
    countsBefore: number,
  ): Promise<void> {
    await this.#known.inTurn(async (state) => {
      if (ends.every(({ rollup, day }) => day <= countedOf(state, rollup).since)) return;
      await this.#engine.writeUnseen(async (session) => {
        await session.transaction(async () => {
          for (const { rollup, day } of ends) await forgetBefore(session, rollup, day);
          await session.run('DELETE FROM dirty WHERE day < $1', [new Date(countsBefore)]);
        });
        this.#known.change((known) => ({
          ...known,
          rollups: new Map(
            ends.map(({ rollup, day }) => {
              const counted = countedOf(known, rollup);
              return [rollup.name, { ...counted, since: Math.max(counted.since, day) }];
            }),
          ),
          dirty: known.dirty.filter((part) => part.day >= countsBefore),
        }));
      });
    });
  }

  /** Notes the last batch, unless one is being stored. */
  #noteLast(): Promise<void> {
    return this.#known.upkeep(async (session) => {
      const begun = this.#begun;
      if (this.#storing > 0) return;
      const [[last = 0] = []] = await session.rows('SELECT coalesce(max(batch), 0) FROM tallies');
      if (this.#begun === begun) this.#known.change((known) => ({ ...known, last: Number(last) }));
    });
  }
}

const NEVER = new AbortController().signal;

export type MarkDirty = (session: Session, where: Statement) => Promise<void>;

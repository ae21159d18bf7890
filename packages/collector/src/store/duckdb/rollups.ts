import { MetronomeError } from '../../errors.ts';
import type { Engine } from './engine.ts';
import type { RollupProgress } from '../../event-store.ts';
import { stepsOf } from '../../query/others.ts';
import type { Query } from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { rollupsCalled } from '../rollups-called.ts';
import type { DeclaredRollup } from './declared-rollup.ts';
import { excerpts, planExcerpt } from './excerpts.ts';
import { daysOfPiece, endOfPiece, PIECE_EVENTS, type Waiting, waitingFor } from './pieces.ts';
import {
  type Counted,
  countsFrom,
  DAY_MS,
  type ExcerptPlan,
  planRollups,
  type RollupPlan,
  type RollupState,
} from './rollup-plan.ts';
import { countedOf, eventsIn, markDirty, readState } from './rollup-state.ts';
import { counts, type Rollup } from './rollup.ts';
import {
  allParts,
  arrange,
  countAnew,
  dirtyParts,
  forgetBefore,
  forgetSizes,
  insertCounts,
  noteAgain,
  type Sorting,
  sortings,
} from './rollup-tables.ts';
import type { Session, Statement } from './session.ts';

/** So many events are read live at most, but for those of a minute. */
const LIVE_EVENTS_MAX = 100_000;
/** Before days are dropped whose counts stay, so many are counted at once. */
const WAITING_EVENTS_MAX = 4 * PIECE_EVENTS;
/** How long it is good enough to know how many events have come since the last count. */
const BEHIND_KNOWN_MS = 1_000;
const STILL_COUNTING = 'Events are dropped when they are counted, and many are still to be.';
/** Sorted runs of a period that a tock has to look through, at most. */
const RUNS_MAX = 5;

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
  /** UTC day of the last count, in days since 1970. */
  #countedOn = 0;
  #state: RollupState | undefined;
  /** Batches that are being stored, and that ever were. */
  #storing = 0;
  #begun = 0;
  /** While events come in it is asked with every tock. */
  #behind:
    | { readonly batch: number; readonly at: number; readonly events: Promise<number> }
    | undefined;

  constructor(engine: Engine, declared: readonly DeclaredRollup[]) {
    this.#engine = engine;
    this.#declared = declared;
    this.#wanted = [counts, ...excerpts, ...declared];
  }

  get all(): readonly Rollup[] {
    return this.#wanted;
  }

  /** How a query is answered now; undefined: from the events alone. */
  async plan(session: Session, query: Query): Promise<RollupPlan | undefined> {
    const state = await this.state(session);
    return planRollups(query, state, this.#declared) ?? planExcerpt(query, state);
  }

  /** Whether counts answer a query now, and no more than so many events are read beside them. */
  async isCountedAhead(query: Query, eventsMax: number): Promise<boolean> {
    const state = await this.#current();
    const plans = stepsOf(query).map((one) => planRollups(one, state, this.#declared));
    const [plan] = plans;
    if (plan === undefined || plans.includes(undefined)) return false;
    if (!plan.isBehind && plan.live.length === 0) return true;
    const upTo = Math.min(plan.upTo, countedOf(state, counts).upTo);
    const [behind, live] = await Promise.all([
      this.#eventsAfter(upTo),
      plan.live.length > 0 ? this.#engine.read((session) => eventsIn(session, plan.live)) : 0,
    ]);
    return behind + live <= eventsMax;
  }

  /** See `EventStore`. */
  async countsFrom(query: Query): Promise<number> {
    const state = await this.#current();
    return Math.max(...stepsOf(query).map((one) => countsFrom(one, state, this.#declared)));
  }

  async #current(): Promise<RollupState> {
    return this.#state ?? (await this.#engine.read((session) => this.state(session)));
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
    return planExcerpt(scan, await this.state(session));
  }

  /** How many of the events are in each rollup. */
  progress(): Promise<readonly RollupProgress[]> {
    return this.#engine.read(async (session) => {
      const state = await this.state(session);
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

  /** As of the last commit, or the one before: both are true. */
  async state(session: Session): Promise<RollupState> {
    return this.#state ?? readState(session, this.#wanted);
  }

  /** Runs `work`, which stores a batch. */
  async storing<T>(work: () => Promise<T>): Promise<T> {
    this.#begun++;
    this.#storing++;
    // Before the commit: to look for events that are not there yet is no mistake, the reverse is.
    this.#become((known) => ({ ...known, last: undefined }));
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
      await this.#upkeep(async (session, state) => {
        const { since } = countedOf(state, rollup);
        const again = rollup.isOfEvents ? since : Math.max(since, state.outlived);
        await session.transaction(async () => {
          await forgetSizes(session, rollup, again);
          await noteAgain(session, rollup, again);
        });
        this.#became(rollup, { again });
      });
    }
  }

  /** Runs `work` after all earlier upkeep, with the state in which that has left the tables. */
  #upkeep<T>(work: (session: Session, state: RollupState) => Promise<T>): Promise<T> {
    return this.#engine.upkeep((session) =>
      this.#withState(session, (state) => work(session, state)),
    );
  }

  async #withState<T>(session: Session, work: (state: RollupState) => Promise<T>): Promise<T> {
    try {
      this.#state ??= await this.#arranged(session);
      return await work(this.#state);
    } catch (error) {
      // Nobody knows what is committed: it is read again.
      this.#state = undefined;
      throw error;
    }
  }

  async #arranged(session: Session): Promise<RollupState> {
    await session.transaction(() => arrange(session, this.#wanted));
    return readState(session, this.#wanted);
  }

  #become(change: (known: RollupState) => RollupState): void {
    if (this.#state) this.#state = change(this.#state);
  }

  #became(rollup: Rollup, change: Partial<Counted>): void {
    this.#become((known) => {
      const counted = { ...countedOf(known, rollup), ...change };
      return { ...known, rollups: new Map([...known.rollups, [rollup.name, counted]]) };
    });
  }

  /**
   * Runs `work`, which takes events out, while nothing is counted. In its own transaction it marks
   * dirty what it is about to take out.
   */
  correcting<T>(work: (markDirty: MarkDirty, state: RollupState) => Promise<T>): Promise<T> {
    return this.#upkeep((_session, state) =>
      work(async (session, where) => {
        const marked = await markDirty(session, state, where);
        // Before the commit: a part that is read live for nothing is no mistake, the reverse is.
        this.#become((known) => ({ ...known, dirty: [...known.dirty, ...marked] }));
      }, state),
    );
  }

  /**
   * Runs `work`, which takes out the events of the days before one whose counts stay: those of
   * batches up to the one that it is given, which are counted for good. Throws `unavailable` while
   * so many are still to be counted that it is left to `keepUp`.
   */
  async outliving<T>(day: number, work: (upTo: number) => Promise<T>): Promise<T> {
    for (;;) {
      await this.countDirty(NEVER);
      for (const rollup of this.#wanted) {
        const { events, again } = await this.#waiting(rollup);
        if (Math.max(events, again) > WAITING_EVENTS_MAX) {
          throw new MetronomeError('unavailable', STILL_COUNTING);
        }
        await this.#countAgain(rollup, NEVER);
        await this.#countAll(rollup, NEVER);
      }
      const done = await this.#upkeep(async (_session, state) => {
        const again = Math.min(...[...state.rollups.values()].map((one) => one.again));
        if (again < day) return undefined;
        if (state.dirty.some((part) => part.day < day)) return undefined;
        const upTo = Math.min(...this.#wanted.map((rollup) => countedOf(state, rollup).upTo));
        // Before the commit: from now on nothing of these days is counted anew.
        this.#become((known) => ({ ...known, outlived: Math.max(known.outlived, day) }));
        return { result: await work(upTo) };
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
    for (const rollup of this.#wanted) await this.#countAgain(rollup, signal);
    const today = Math.floor(now / DAY_MS);
    for (const rollup of this.#wanted) {
      const isDue = today > this.#countedOn;
      await this.#countAll(rollup, signal, isDue ? 0 : LIVE_EVENTS_MAX);
    }
    if (signal.aborted) return;
    this.#countedOn = today;
    await this.#noteLast();
    for (const rollup of this.#wanted) await this.#sortPeriods(rollup, signal);
  }

  /** Counts the dirty parts anew, a day at a time. */
  async countDirty(signal: AbortSignal): Promise<void> {
    let isDone = false;
    while (!isDone && !signal.aborted) {
      isDone = await this.#upkeep(async (session, state) => {
        const day = state.dirty[0]?.day;
        if (day === undefined) return true;
        await session.transaction(async () => {
          for (const rollup of this.#wanted) {
            const { upTo, since } = countedOf(state, rollup);
            if (day < since) continue;
            const range = { from: day, to: day + DAY_MS };
            await countAnew(session, rollup, upTo, range, dirtyParts(day));
          }
          await session.run('DELETE FROM dirty WHERE day = $1', [new Date(day)]);
        });
        this.#become((known) => ({
          ...known,
          dirty: known.dirty.filter((part) => part.day !== day),
        }));
        return false;
      });
    }
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
    const isForgotten = await this.#upkeep((_session, state) => {
      if (ends.every(({ rollup, day }) => day <= countedOf(state, rollup).since)) {
        return Promise.resolve(true);
      }
      // What nobody asks for any more can go unseen.
      this.#become((known) => ({
        ...known,
        rollups: new Map(
          ends.map(({ rollup, day }) => {
            const counted = countedOf(known, rollup);
            return [rollup.name, { ...counted, since: Math.max(counted.since, day) }];
          }),
        ),
        dirty: known.dirty.filter((part) => part.day >= Date.parse(countsBefore)),
      }));
      return Promise.resolve(false);
    });
    if (isForgotten) return;
    await this.#engine.settled();
    await this.#upkeep((session) =>
      session.transaction(async () => {
        for (const { rollup, day } of ends) await forgetBefore(session, rollup, day);
        await session.run('DELETE FROM dirty WHERE day < $1', [new Date(countsBefore)]);
      }),
    );
  }

  /** Counts what has arrived, if it is so many events. */
  async #countAll(rollup: Rollup, signal: AbortSignal, eventsMin = 0): Promise<void> {
    const { events, batches } = await this.#waiting(rollup);
    if (events < eventsMin) return;
    // Of batches of the usual size, such a window holds two pieces.
    const window = Math.ceil((2 * PIECE_EVENTS * batches) / Math.max(events, 1));
    let isDone = false;
    while (!isDone && !signal.aborted) isDone = await this.#countPiece(rollup, window);
  }

  #waiting(rollup: Rollup): Promise<Waiting> {
    return this.#upkeep((session, state) => waitingFor(session, countedOf(state, rollup)));
  }

  /** Counts anew what is to be, some days at a time. */
  async #countAgain(rollup: Rollup, signal: AbortSignal): Promise<void> {
    const isDue = (state: RollupState): boolean => Number.isFinite(countedOf(state, rollup).again);
    if (!isDue(await this.#current())) return;
    // Whoever knows an older state would read what is counted, and miss what comes with a later run.
    await this.#engine.settled();
    let isDone = false;
    while (!isDone && !signal.aborted) {
      isDone = await this.#upkeep(async (session, state) => {
        if (!isDue(state)) return true;
        const { upTo, since, again } = countedOf(state, rollup);
        const days = await daysOfPiece(session, upTo, Math.max(again, since));
        await session.transaction(async () => {
          await countAnew(session, rollup, upTo, days.range, allParts);
          await noteAgain(session, rollup, days.next);
        });
        this.#became(rollup, { again: days.next });
        return false;
      });
    }
  }

  /** Counts the next piece; true where there is none. */
  #countPiece(rollup: Rollup, window: number): Promise<boolean> {
    return this.#upkeep(async (session, state) => {
      const before = countedOf(state, rollup);
      const upTo = await endOfPiece(session, before.upTo, window);
      if (upTo === undefined) return true;
      await session.transaction(async () => {
        await insertCounts(session, rollup, upTo, {
          sql: `batch > ${before.upTo} AND batch <= ${upTo} AND "@timestamp" >= $1`,
          params: [new Date(before.since)],
        });
        await session.run('UPDATE rollups SET batch = $1 WHERE name = $2', [upTo, rollup.name]);
      });
      this.#became(rollup, { upTo });
      return false;
    });
  }

  /** Notes the last batch, unless one is being stored. */
  #noteLast(): Promise<void> {
    return this.#upkeep(async (session) => {
      const begun = this.#begun;
      if (this.#storing > 0) return;
      const [[last = 0] = []] = await session.rows('SELECT coalesce(max(batch), 0) FROM tallies');
      if (this.#begun === begun) this.#become((known) => ({ ...known, last: Number(last) }));
    });
  }

  async #sortPeriods(rollup: Rollup, signal: AbortSignal): Promise<void> {
    const periods = await this.#engine.read((session) =>
      session.rows(
        `SELECT period FROM rollup_periods
         WHERE rollup = $1 AND runs > ${RUNS_MAX} AND (size - sorted) * 4 >= sorted ORDER BY 1`,
        [rollup.name],
      ),
    );
    for (const [one] of periods) {
      const period = Number(one);
      const upTo = await this.#upkeep((_session, state) =>
        Promise.resolve(countedOf(state, rollup).upTo),
      );
      // Whoever knows an older state could not tell the runs apart any more.
      await this.#engine.settled();
      const noteSorted: Sorting = (session) =>
        session.run(
          'UPDATE rollup_periods SET runs = 1, sorted = size WHERE rollup = $1 AND period = $2',
          [rollup.name, period],
        );
      const sorts = rollup.tables.flatMap((table) => sortings(table, period, upTo));
      for (const work of [...sorts, noteSorted]) {
        if (signal.aborted) return;
        await this.#upkeep(work);
      }
    }
  }
}

const NEVER = new AbortController().signal;

export type MarkDirty = (session: Session, where: Statement) => Promise<void>;

import { MetronomeError } from '../../errors.ts';
import type { Engine } from './engine.ts';
import type { RollupProgress } from '../../event-store.ts';
import { stepsOf } from '../../query/others.ts';
import type { Query } from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { rollupsCalled } from '../rollups-called.ts';
import type { DeclaredRollup } from './declared-rollup.ts';
import { excerpts, planExcerpt } from './excerpts.ts';
import {
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
  arrange,
  countDay,
  forgetBefore,
  hasOutlived,
  insertCounts,
  makeAnew,
  type Sorting,
  sortings,
} from './rollup-tables.ts';
import type { Session, Statement } from './session.ts';

/** Events that are counted in one transaction, unless one batch has more. */
const PIECE_EVENTS = 500_000;
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
 * from the events. All tables can be dropped at any time (see `rebuild`): they are then made again,
 * but for the days whose events are gone where counts are kept longer (`outlived`).
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
  /** How often tables were made anew. */
  #rebuilt = 0;
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
      const progress: RollupProgress[] = [];
      for (const rollup of this.#wanted) {
        const [[events = 0, counted = 0] = []] = await session.rows(
          'SELECT count(*), count(*) FILTER (WHERE batch <= $1) FROM events',
          [countedOf(state, rollup).upTo],
        );
        const waiting = Number(events) - Number(counted);
        const hasBegun = waiting === 0 || Number(counted) > 0 || this.#countedOn > 0;
        progress.push({
          name: rollup.title,
          events: Number(events),
          counted: Number(counted),
          isUpToDate: hasBegun && waiting < LIVE_EVENTS_MAX,
        });
      }
      return progress;
    });
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
   * Drops what is counted of the rollups of a name, with no reader beside it: one who has planned
   * to read the counts would find none. They are counted again by `keepUp`.
   */
  async rebuild(name: string): Promise<void> {
    const called = rollupsCalled(name, this.#wanted);
    await this.#engine.writeAlone((session) =>
      this.#withState(session, async (state) => {
        for (const rollup of called) {
          if (await hasOutlived(session, rollup, state.outlived)) throw isOutlived(state.outlived);
        }
        this.#rebuilt++;
        // Due again, however few events there are.
        this.#countedOn = 0;
        await session.transaction(async () => {
          for (const rollup of called) await makeAnew(session, rollup);
        });
        const emptied = called.map((rollup) => {
          return [rollup.name, { ...countedOf(state, rollup), upTo: 0 }] as const;
        });
        this.#become((known) => ({ ...known, rollups: new Map([...known.rollups, ...emptied]) }));
      }),
    );
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
        const { events } = await this.#waiting(rollup);
        if (events > WAITING_EVENTS_MAX) throw new MetronomeError('unavailable', STILL_COUNTING);
        await this.#countAll(rollup, NEVER);
      }
      const done = await this.#upkeep(async (_session, state) => {
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
    const rebuilt = this.#rebuilt;
    await this.countDirty(signal);
    const today = Math.floor(now / DAY_MS);
    for (const rollup of this.#wanted) {
      const isDue = today > this.#countedOn;
      await this.#countAll(rollup, signal, isDue ? 0 : LIVE_EVENTS_MAX);
    }
    if (signal.aborted) return;
    if (this.#rebuilt === rebuilt) this.#countedOn = today;
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
            if (day >= since) await countDay(session, rollup, day, upTo);
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
            const { upTo, since } = countedOf(known, rollup);
            return [rollup.name, { upTo, since: Math.max(since, day) }];
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
    return this.#upkeep(async (session, state) => {
      const { upTo } = countedOf(state, rollup);
      const [[events = 0, last = 0] = []] = await session.rows(
        'SELECT count(*), coalesce(max(batch), $1) FROM events WHERE batch > $1',
        [upTo],
      );
      return { events: Number(events), batches: Number(last) - upTo };
    });
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
      this.#become((known) => ({
        ...known,
        rollups: new Map([...known.rollups, [rollup.name, { ...before, upTo }]]),
      }));
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
      const { upTo, rebuilt } = await this.#upkeep((_session, state) =>
        Promise.resolve({ upTo: countedOf(state, rollup).upTo, rebuilt: this.#rebuilt }),
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
        await this.#upkeep(async (session) => {
          // Runs of tables that were made anew are other ones.
          if (this.#rebuilt === rebuilt) await work(session);
        });
      }
    }
  }
}

const NEVER = new AbortController().signal;

export type MarkDirty = (session: Session, where: Statement) => Promise<void>;

interface Waiting {
  readonly events: number;
  /** Numbers of batches up to the last. */
  readonly batches: number;
}

/** The last batch of the piece after one: of those within a window, as many as are not too many. */
async function endOfPiece(
  session: Session,
  after: number,
  window: number,
): Promise<number | undefined> {
  const [[first = null] = []] = await session.rows(
    'SELECT min(batch) FROM events WHERE batch > $1',
    [after],
  );
  if (first === null) return undefined;
  const batches = await session.rows(
    `SELECT batch, count(*) FROM events WHERE batch >= $1 AND batch < $1 + $2
     GROUP BY batch ORDER BY batch`,
    [Number(first), window],
  );
  let upTo = Number(first);
  let events = 0;
  for (const [batch, count] of batches) {
    events += Number(count);
    if (events > PIECE_EVENTS) break;
    upTo = Number(batch);
  }
  return upTo;
}

function isOutlived(before: number): MetronomeError {
  const day = new Date(before).toISOString().slice(0, 10);
  const message = `The counts of days before ${day} have outlived their events, and would be lost; without METRONOME_ROLLUP_RETENTION_DAYS they go at the next start, and the rest can be counted anew.`;
  return new MetronomeError('bad-request', message);
}

import type { Engine } from './engine.ts';
import type { KnownState } from './known-state.ts';
import { daysOfPiece, endOfPiece, PIECE_EVENTS, type Waiting, waitingFor } from './pieces.ts';
import { DAY_MS, type RollupState } from './rollup-plan.ts';
import { countedOf } from './rollup-state.ts';
import type { Rollup } from './rollup.ts';
import type { Session } from './session.ts';
import { VECTORS_MAX } from './stretch.ts';
import {
  allParts,
  cleanDay,
  type Commit,
  countAnew,
  dirtyParts,
  insertCounts,
  noteAgain,
  type Sorting,
  sortings,
} from './rollup-tables.ts';

/** Sorted runs of a period that a tock has to look through, at most. */
const RUNS_MAX = 5;

/**
 * Counts events into the tables of rollups, and puts these in order: piece by piece, each in a
 * transaction of its own, beside the writer and the readers. A signal stops it after the piece
 * under way.
 */
export class RollupCounter {
  readonly #engine: Engine;
  readonly #wanted: readonly Rollup[];
  readonly #known: KnownState;
  /** Vectors of which rows were deleted since the log was last written into the tables. */
  #deleted = 0;

  constructor(engine: Engine, wanted: readonly Rollup[], known: KnownState) {
    this.#engine = engine;
    this.#wanted = wanted;
    this.#known = known;
  }

  waiting(rollup: Rollup): Promise<Waiting> {
    return this.#known.upkeep((session, state) => waitingFor(session, countedOf(state, rollup)));
  }

  /** Counts what has arrived, if it is so many events. */
  async countArrived(rollup: Rollup, signal: AbortSignal, eventsMin = 0): Promise<void> {
    const { events, batches } = await this.waiting(rollup);
    if (events < eventsMin) return;
    // Of batches of the usual size, such a window holds two pieces.
    const window = Math.ceil((2 * PIECE_EVENTS * batches) / Math.max(events, 1));
    await untilDone(signal, () => this.#countPiece(rollup, window));
  }

  /** Counts the next piece; true where there is none. */
  #countPiece(rollup: Rollup, window: number): Promise<boolean> {
    return this.#known.upkeep(async (session, state) => {
      const before = countedOf(state, rollup);
      const upTo = await endOfPiece(session, before.upTo, window);
      if (upTo === undefined) return true;
      await session.transaction(async () => {
        await insertCounts(session, rollup, upTo, {
          sql: `batch > ${before.upTo} AND batch <= ${upTo} AND "@timestamp" >= $1`,
          params: [new Date(Math.max(before.since, state.outlived))],
        });
        await session.run('UPDATE rollups SET batch = $1 WHERE name = $2', [upTo, rollup.name]);
      });
      this.#known.changeOf(rollup, { upTo });
      return false;
    });
  }

  /** Counts the dirty parts of all rollups anew, a day at a time. */
  countDirty(signal: AbortSignal): Promise<void> {
    return untilDone(signal, () =>
      this.#known.upkeep(async (session, state) => {
        const day = state.dirty[0]?.day;
        if (day === undefined) return true;
        const range = { from: day, to: day + DAY_MS };
        const areMany = state.dirty.some((one) => one.day === day && one.items === undefined);
        for (const rollup of this.#wanted) {
          const { upTo, since } = countedOf(state, rollup);
          if (day < since) continue;
          const anew = { range, parts: dirtyParts(day), areMany, upTo };
          await countAnew(session, rollup, anew, this.#committing(session));
        }
        await cleanDay(session, day);
        this.#known.change((known) => ({
          ...known,
          dirty: known.dirty.filter((part) => part.day !== day),
        }));
        return false;
      }),
    );
  }

  /** Counts the days anew that are to be, some at a time. */
  async countAgain(rollup: Rollup, signal: AbortSignal): Promise<void> {
    const isDue = (state: RollupState): boolean => Number.isFinite(countedOf(state, rollup).again);
    if (!isDue(await this.#known.current())) return;
    // Whoever knows an older state would read what is counted, and miss what comes with a later run.
    await this.#engine.settled();
    await untilDone(signal, () =>
      this.#known.upkeep(async (session, state) => {
        if (!isDue(state)) return true;
        const { upTo, since, again } = countedOf(state, rollup);
        const { range, next } = await daysOfPiece(session, upTo, Math.max(again, since));
        const anew = { range, parts: allParts, areMany: true, upTo };
        await countAnew(session, rollup, anew, this.#committing(session));
        await noteAgain(session, rollup, next);
        this.#known.changeOf(rollup, { again: next });
        return false;
      }),
    );
  }

  /** What the engine notes of deleted rows goes with the log, before it is too much. */
  #committing(session: Session): Commit {
    return async (work) => {
      this.#deleted += await session.transaction(work);
      if (this.#deleted < VECTORS_MAX) return;
      await this.#engine.checkpoint();
      this.#deleted = 0;
    };
  }

  /** Brings the periods into one order that have too many runs. */
  async sortPeriods(rollup: Rollup, signal: AbortSignal): Promise<void> {
    const periods = await this.#engine.read((session) =>
      session.rows(
        `SELECT period FROM rollup_periods
         WHERE rollup = $1 AND runs > ${RUNS_MAX} AND (size - sorted) * 4 >= sorted ORDER BY 1`,
        [rollup.name],
      ),
    );
    for (const [one] of periods) {
      const period = Number(one);
      const upTo = await this.#known.upkeep((_session, state) =>
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
        await this.#known.upkeep(work);
      }
    }
  }
}

async function untilDone(signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
  let isDone = false;
  while (!isDone && !signal.aborted) isDone = await work();
}

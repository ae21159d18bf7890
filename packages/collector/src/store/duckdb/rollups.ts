import type { Engine } from './engine.ts';
import {
  DAY_MS,
  type DirtyPart,
  monthRange,
  ROLLUPS,
  type RollupName,
  rollupNames,
  type RollupState,
} from './rollup-plan.ts';
import { FIELDS, type FieldName } from '../../event.ts';
import { columnType, quoted } from './schema.ts';
import type { Session, Statement } from './session.ts';

/** Events that are counted in one transaction, unless one batch has more. */
const PIECE_EVENTS = 500_000;
/** So many events are read live at most, but for those of a minute. */
const LIVE_EVENTS_MAX = 100_000;
/** Sorted runs of a month that a tock has to look through, at most. */
const RUNS_MAX = 5;
/** A month is sorted in so many parts: its memory is bounded, whatever the month holds. */
const SORT_PARTS = 16;

/**
 * Counts of events, so that the cost of a tock does not grow with them: for each kind of rollup
 * (see `ROLLUPS`) and UTC month a table, sorted by item, of which a tock reads a row group or two.
 *
 * What is counted is a matter of arrival, not of time: every event of a batch up to `upTo` is in
 * the rollups once, every later one is read live. So nothing arrives too late, and no stored count
 * is ever added to: new events make new rows, which are put together when a month is sorted. Rows
 * say which state they came with (`run`), so that a reader who knows an older one leaves them out.
 *
 * What is erased is marked dirty in the same commit (app, day, item), read live, and counted anew
 * from the events. All tables can be emptied at any time: they are then made again.
 */
export class Rollups {
  readonly #engine: Engine;
  /** UTC day of the last count, in days since 1970. */
  #countedOn = 0;
  #state: Promise<RollupState> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** As of the last commit, or the one before: both are true. */
  state(session: Session): Promise<RollupState> {
    return this.#state ?? readState(session);
  }

  /** Runs `work` after all earlier upkeep, with the state in which that has left the tables. */
  #upkeep<T>(work: (session: Session, state: RollupState) => Promise<T>): Promise<T> {
    return this.#engine.upkeep(async (session) => {
      try {
        this.#state ??= readState(session);
        return await work(session, await this.#state);
      } catch (error) {
        // Nobody knows what is committed: it is read again.
        this.#state = undefined;
        throw error;
      }
    });
  }

  /** Only during upkeep. */
  #become(state: RollupState): void {
    this.#state = Promise.resolve(state);
  }

  /**
   * Runs `work`, which takes events out, while nothing is counted. In its own transaction it marks
   * dirty what it is about to take out.
   */
  correcting<T>(work: (markDirty: MarkDirty) => Promise<T>): Promise<T> {
    return this.#upkeep((_session, state) =>
      work(async (session, where) => {
        const marked = await markDirty(session, state, where);
        // Before the commit: a part that is read live for nothing is no mistake, the reverse is.
        this.#become({ ...state, dirty: [...state.dirty, ...marked] });
      }),
    );
  }

  /**
   * Counts what is dirty anew, then what has arrived: once a day, and whenever it has come to many.
   * Piece by piece, beside the writer and the readers; a signal stops it after the one under way.
   */
  async keepUp(now: number, signal: AbortSignal): Promise<void> {
    await this.countDirty(signal);
    const today = Math.floor(now / DAY_MS);
    const waiting = await this.#waitingBatches();
    const events = waiting.reduce((sum, one) => sum + one.events, 0);
    if (events >= LIVE_EVENTS_MAX || today > this.#countedOn) {
      for (const upTo of piecesOf(waiting)) {
        if (signal.aborted) return;
        await this.#countArrived(upTo);
      }
      this.#countedOn = today;
    }
    await this.#sortMonths(signal);
  }

  /** Counts the dirty parts anew, a day at a time. */
  async countDirty(signal: AbortSignal): Promise<void> {
    let isDone = false;
    while (!isDone && !signal.aborted) {
      isDone = await this.#upkeep(async (session, state) => {
        const day = state.dirty[0]?.day;
        if (day === undefined) return true;
        await session.transaction(() => countDay(session, day, state.upTo));
        this.#become({ ...state, dirty: state.dirty.filter((part) => part.day !== day) });
        return false;
      });
    }
  }

  /** Forgets the counts of the days before a UTC day (`2026-11-23`). */
  async forget(before: string): Promise<void> {
    const since = Date.parse(before);
    const isForgotten = await this.#upkeep((_session, state) => {
      if (since <= state.since) return Promise.resolve(true);
      // What nobody asks for any more can go unseen.
      this.#become({
        upTo: state.upTo,
        since,
        dirty: state.dirty.filter(({ day }) => day >= since),
        months: state.months.filter((month) => monthRange(month).to > since),
      });
      return Promise.resolve(false);
    });
    if (isForgotten) return;
    await this.#engine.settled();
    await this.#upkeep((session) => session.transaction(() => forgetBefore(session, since)));
  }

  #waitingBatches(): Promise<readonly Waiting[]> {
    return this.#upkeep(async (session, { upTo }) => {
      const rows = await session.rows(
        'SELECT batch, count(*) FROM events WHERE batch > $1 GROUP BY batch ORDER BY batch',
        [upTo],
      );
      return rows.map(([batch, events]) => ({ batch: Number(batch), events: Number(events) }));
    });
  }

  #countArrived(upTo: number): Promise<void> {
    return this.#upkeep(async (session, state) => {
      if (upTo <= state.upTo) return;
      const months = await session.transaction(async () => {
        const where = `batch > ${state.upTo} AND batch <= ${upTo}`;
        await insertCounts(session, upTo, {
          sql: `${where} AND "@timestamp" >= $1`,
          params: [new Date(state.since)],
        });
        await session.run('UPDATE rollup_state SET batch = $1', [upTo]);
        return monthsOf(session);
      });
      this.#become({ ...state, upTo, months });
    });
  }

  async #sortMonths(signal: AbortSignal): Promise<void> {
    const months = await this.#engine.read((session) =>
      session.rows(
        `SELECT month FROM rollup_months
         WHERE runs > ${RUNS_MAX} AND (events - sorted) * 4 >= sorted ORDER BY month`,
      ),
    );
    for (const [month] of months) {
      for (const name of rollupNames) {
        if (signal.aborted) return;
        // Whoever knows an older state could not tell the runs apart any more.
        await this.#engine.settled();
        await this.#upkeep((session) =>
          session.transaction(() => sortTable(session, name, String(month))),
        );
      }
      await this.#upkeep((session) =>
        session.run('UPDATE rollup_months SET runs = 1, sorted = events WHERE month = $1', [
          String(month),
        ]),
      );
    }
  }
}

export type MarkDirty = (session: Session, where: Statement) => Promise<void>;

interface Waiting {
  readonly batch: number;
  readonly events: number;
}

/** The last batches of pieces of so many events. */
function piecesOf(waiting: readonly Waiting[]): readonly number[] {
  const pieces: number[] = [];
  let events = 0;
  for (const [index, one] of waiting.entries()) {
    events += one.events;
    const next = waiting[index + 1];
    if (next && events + next.events <= PIECE_EVENTS) continue;
    pieces.push(one.batch);
    events = 0;
  }
  return pieces;
}

/**
 * - `rollup_state`: one row, `upTo` and `since` of the state
 * - `rollup_months`: the months that have tables; `runs` sorted for themselves; `events` counted,
 *   of which `sorted` are in one run
 * - `dirty`: parts whose counts are wrong since something was erased
 */
export const ROLLUP_SCHEMA_SQL: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS rollup_state (batch BIGINT NOT NULL, since TIMESTAMP NOT NULL)',
  `INSERT INTO rollup_state
   SELECT 0, TIMESTAMP '0001-01-01' WHERE NOT EXISTS (SELECT 1 FROM rollup_state)`,
  `CREATE TABLE IF NOT EXISTS rollup_months (
    month VARCHAR NOT NULL, runs BIGINT NOT NULL, events BIGINT NOT NULL, sorted BIGINT NOT NULL)`,
  'CREATE TABLE IF NOT EXISTS dirty ("service.name" VARCHAR NOT NULL, day DATE NOT NULL, item VARCHAR)',
  // Sorted by this, row groups say what items they hold: of a text they know eight bytes only.
  `CREATE OR REPLACE MACRO item_key(item) AS
    coalesce(CAST(md5_number_lower(item) & 4294967295 AS UINTEGER), 0)`,
];

function readState(session: Session): Promise<RollupState> {
  return session.transaction(async () => {
    const [[upTo = 0, since = 0] = []] = await session.rows(
      'SELECT batch, epoch_ms(since) FROM rollup_state',
    );
    const dirty = await session.rows('SELECT "service.name", epoch_ms(day), item FROM dirty');
    return {
      upTo: Number(upTo),
      since: Number(since),
      months: await monthsOf(session),
      dirty: dirty.map(toPart),
    };
  });
}

/** Says what of the counts will be wrong without the events that a condition names. */
async function markDirty(
  session: Session,
  { upTo, since }: RollupState,
  { sql, params }: Statement,
): Promise<readonly DirtyPart[]> {
  const at = params.length;
  const marked = await session.rows(
    `INSERT INTO dirty SELECT DISTINCT "service.name", CAST("@timestamp" AS DATE), item
     FROM events WHERE ${sql} AND batch <= $${at + 1} AND "@timestamp" >= $${at + 2}
     RETURNING "service.name", epoch_ms(day), item`,
    [...params, upTo, new Date(since)],
  );
  return marked.map(toPart);
}

async function monthsOf(session: Session): Promise<readonly string[]> {
  const rows = await session.rows('SELECT month FROM rollup_months ORDER BY month');
  return rows.map(([month]) => String(month));
}

function toPart([app, day, item]: readonly unknown[]): DirtyPart {
  return { app: String(app), day: Number(day), item: typeof item === 'string' ? item : null };
}

/** Adds the counts of the events that a condition names as a new run of their months. */
async function insertCounts(session: Session, run: number, where: Statement): Promise<void> {
  await gather(session, where);
  const months = await session.rows('SELECT month, sum(events) FROM arrived GROUP BY month');
  for (const [month, events] of months) {
    await addRun(session, String(month), Number(events));
    for (const name of rollupNames) await insertFrom(session, name, String(month), run);
  }
  await session.run('DROP TABLE arrived');
}

/** Everything that rollups keep of some events, in a table for a while. */
function gather(session: Session, { sql, params }: Statement): Promise<void> {
  return session.run(
    `CREATE OR REPLACE TEMP TABLE arrived AS
     SELECT *, item_key(item) AS key,
       strftime(make_timestamp(slot * ${FINEST_MS * 1000}), '%Y_%m') AS month
     FROM (SELECT ${columnsOf('item_details')},
         CAST(floor(epoch_ms("@timestamp") / ${FINEST_MS}) AS BIGINT) AS slot, count(*) AS events
       FROM events WHERE ${sql} GROUP BY ALL)`,
    params,
  );
}

async function addRun(session: Session, month: string, events: number): Promise<void> {
  const known = await session.rows(
    `UPDATE rollup_months SET runs = runs + 1, events = events + $2 WHERE month = $1 RETURNING 1`,
    [month, events],
  );
  if (known.length > 0) return;
  await session.run('INSERT INTO rollup_months VALUES ($1, 1, $2, $2)', [month, events]);
  for (const name of rollupNames) await session.run(createSql(name, `${name}_${month}`));
}

function insertFrom(session: Session, name: RollupName, month: string, run: number): Promise<void> {
  const steps = ROLLUPS[name].stepMs / FINEST_MS;
  return session.run(
    `INSERT INTO ${name}_${month}
     SELECT ${run}, ${isByItem(name) ? 'key,' : ''} CAST(floor(slot / ${steps}) AS BIGINT),
       ${columnsOf(name)}, sum(events)
     FROM arrived WHERE month = '${month}' GROUP BY ALL ORDER BY ALL`,
  );
}

/** Counts the dirty parts of a day anew, and the sites that they are of from all their items. */
async function countDay(session: Session, day: number, upTo: number): Promise<void> {
  const isoDay = new Date(day).toISOString().slice(0, 10);
  const month = isoDay.slice(0, 7).replace('-', '_');
  const isDirty = (table: string): string => `EXISTS (SELECT 1 FROM dirty
    WHERE dirty.day = DATE '${isoDay}' AND dirty."service.name" = ${table}."service.name"
      AND dirty.item IS NOT DISTINCT FROM ${table}.item)`;
  const ofDirtySite = `"service.name" IN
    (SELECT "service.name" FROM dirty WHERE day = DATE '${isoDay}')`;
  const slots = (name: RollupName): string => {
    const { stepMs } = ROLLUPS[name];
    return `slot >= ${day / stepMs} AND slot < ${(day + DAY_MS) / stepMs}`;
  };
  await gather(session, {
    sql: `batch <= $1 AND "@timestamp" >= $2 AND "@timestamp" < $3 AND ${isDirty('events')}`,
    params: [upTo, new Date(day), new Date(day + DAY_MS)],
  });
  await addRun(session, month, 0);
  for (const name of rollupNames.filter(isByItem)) {
    const table = `${name}_${month}`;
    await session.run(`DELETE FROM ${table} WHERE ${slots(name)} AND ${isDirty(table)}`);
    await insertFrom(session, name, month, upTo);
  }
  for (const [name, items] of SITES) {
    await session.run(`DELETE FROM ${name}_${month} WHERE ${slots(name)} AND ${ofDirtySite}`);
    await session.run(
      `INSERT INTO ${name}_${month} SELECT ${upTo}, slot, ${columnsOf(name)}, sum(events)
       FROM ${items}_${month} WHERE ${slots(items)} AND ${ofDirtySite} GROUP BY ALL`,
    );
  }
  await session.run('DROP TABLE arrived');
  await session.run(`DELETE FROM dirty WHERE day = DATE '${isoDay}'`);
}

/** What the counts of a site are the sums of. */
const SITES = [
  ['site_quarters', 'item_quarters'],
  ['site_days', 'item_details'],
] as const satisfies readonly (readonly [RollupName, RollupName])[];

/** Writes all tables anew, so that nothing of what was deleted is left in them. */
export async function sortAll(session: Session): Promise<void> {
  for (const month of await monthsOf(session)) {
    for (const name of rollupNames) await sortTable(session, name, month);
  }
  await session.run('UPDATE rollup_months SET runs = 1, sorted = events');
  await session.run('CREATE OR REPLACE TABLE dirty AS SELECT * FROM dirty');
}

/** Brings the runs of a table into one, in which what is alike is put together. */
async function sortTable(session: Session, name: RollupName, month: string): Promise<void> {
  const [table, anew] = [`${name}_${month}`, `${name}_anew`];
  const [[run] = []] = await session.rows(`SELECT coalesce(max(run), 0) FROM ${table}`);
  await session.run(createSql(name, anew));
  for (const part of isByItem(name) ? keyRanges() : ['true']) {
    await session.run(
      `INSERT INTO ${anew}
       SELECT ${Number(run)}, ${isByItem(name) ? 'key,' : ''} slot, ${columnsOf(name)}, sum(events)
       FROM ${table} WHERE ${part} GROUP BY ALL ORDER BY ${orderOf(name)}`,
    );
  }
  await session.run(`DROP TABLE ${table}`);
  await session.run(`ALTER TABLE ${anew} RENAME TO ${table}`);
}

function keyRanges(): readonly string[] {
  const width = 2 ** 32 / SORT_PARTS;
  return Array.from(
    { length: SORT_PARTS },
    (_, part) => `key BETWEEN ${part * width} AND ${(part + 1) * width - 1}`,
  );
}

async function forgetBefore(session: Session, since: number): Promise<void> {
  await session.run('UPDATE rollup_state SET since = $1', [new Date(since)]);
  await session.run('DELETE FROM dirty WHERE day < $1', [new Date(since)]);
  for (const month of await monthsOf(session)) {
    const { from, to } = monthRange(month);
    if (from >= since) continue;
    for (const name of rollupNames) {
      await session.run(
        to <= since
          ? `DROP TABLE ${name}_${month}`
          : `DELETE FROM ${name}_${month} WHERE slot < ${since / ROLLUPS[name].stepMs}`,
      );
    }
    if (to <= since) await session.run('DELETE FROM rollup_months WHERE month = $1', [month]);
  }
}

/** The step of which the others are multiples. */
const FINEST_MS = ROLLUPS.item_quarters.stepMs;

function isByItem(name: RollupName): boolean {
  const fields: readonly FieldName[] = ROLLUPS[name].fields;
  return fields.includes('item');
}

function createSql(name: RollupName, table: string): string {
  const columns = ROLLUPS[name].fields.map((field) => {
    const { at } = FIELDS[field];
    return `${quoted(at)} ${columnType(at)}`;
  });
  return `CREATE TABLE ${table} (run BIGINT NOT NULL, ${isByItem(name) ? 'key UINTEGER NOT NULL,' : ''}
    slot INTEGER NOT NULL, ${columns.join(', ')}, events BIGINT NOT NULL)`;
}

export function columnsOf(name: RollupName): string {
  return ROLLUPS[name].fields.map((field) => quoted(FIELDS[field].at)).join(', ');
}

function orderOf(name: RollupName): string {
  return isByItem(name) ? 'key, item, "service.name", slot' : '"service.name", slot';
}

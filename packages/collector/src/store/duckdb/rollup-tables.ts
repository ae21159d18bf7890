import type { Range } from '../../query/query.ts';
import { definitionOf, finestMs, isNotedAs, type Rollup, type RollupTable } from './rollup.ts';
import { DAY_MS } from './rollup-plan.ts';
import { quoted } from './schema.ts';
import type { Session, Statement } from './session.ts';
import { stretchOf, VECTOR_ROWS, VECTORS_MAX } from './stretch.ts';

/** The rows of so long a stretch of time lie together: whole steps of all tables. */
const PERIOD_MS = 28 * DAY_MS;
/** The first day that the engine's dates and everybody else's agree on, 0001-01-01. */
export const BEGINNING_MS = -62_135_596_800_000;
/** A period is sorted in so many parts by item: memory is bounded, whatever it holds. */
const SORT_PARTS = 16;

/**
 * - `rollups`: those that have tables, how far they are counted, and the day from which on they
 *   are counted anew
 * - `rollup_periods`: those of each that have rows: `runs` sorted for themselves; `size` in rows
 *   at most, of which `sorted` are in one run
 * - `outlived`: one row, the first day whose counts are of all events (see `outlived.ts`)
 * - `dirty`: parts whose counts are wrong since something was erased
 */
export const ROLLUP_SCHEMA_SQL: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS rollups (name VARCHAR NOT NULL, definition VARCHAR NOT NULL,
    batch BIGINT NOT NULL, since TIMESTAMP NOT NULL)`,
  'ALTER TABLE rollups ADD COLUMN IF NOT EXISTS again TIMESTAMP',
  `CREATE TABLE IF NOT EXISTS rollup_periods (rollup VARCHAR NOT NULL, period INTEGER NOT NULL,
    runs BIGINT NOT NULL, size BIGINT NOT NULL, sorted BIGINT NOT NULL)`,
  'CREATE TABLE IF NOT EXISTS outlived (day TIMESTAMP NOT NULL)',
  `INSERT INTO outlived
   SELECT TIMESTAMP '0001-01-01' WHERE NOT EXISTS (SELECT 1 FROM outlived)`,
  'CREATE TABLE IF NOT EXISTS dirty ("service.name" VARCHAR NOT NULL, day DATE NOT NULL, item VARCHAR)',
  // Sorted by this, row groups say what items they hold: of a text they know eight bytes only.
  `CREATE OR REPLACE MACRO item_key(item) AS
    coalesce(CAST(md5_number_lower(item) & 4294967295 AS UINTEGER), 0)`,
  // Two of a hundred million visitors are taken for one with a chance of three in ten thousand.
  'CREATE OR REPLACE MACRO visitor_key(visitor) AS md5_number_lower(visitor)',
];

/** Drops what is not wanted any more, and of wanted rollups what is missing is made, empty. */
export async function arrange(session: Session, wanted: readonly Rollup[]): Promise<void> {
  const known = await session.rows('SELECT name, definition FROM rollups');
  const kept = wanted.filter((one) => known.some((noted) => isNotedAs(one, noted)));
  const names = new Set(kept.flatMap(({ tables }) => tables.map(({ name }) => name)));
  for (const name of await tablesOfRollups(session)) {
    if (!names.has(name)) await session.run(`DROP TABLE ${quoted(name)}`);
  }
  for (const table of ['rollups', 'rollup_periods']) {
    const column = table === 'rollups' ? 'name' : 'rollup';
    await session.run(
      `DELETE FROM ${table} WHERE NOT list_contains(from_json($1, '["VARCHAR"]'), ${column})`,
      [JSON.stringify(kept.map(({ name }) => name))],
    );
  }
  for (const one of wanted.filter((rollup) => !kept.includes(rollup))) {
    for (const table of one.tables) await session.run(createSql(one, table));
    await session.run('INSERT INTO rollups SELECT $1, $2, 0, day, NULL FROM outlived', [
      one.name,
      definitionOf(one),
    ]);
  }
}

/** Whether there are rollups that are not wanted, or not any more as they are. */
export async function hasOthers(session: Session, wanted: readonly Rollup[]): Promise<boolean> {
  const known = await session.rows('SELECT name, definition FROM rollups');
  return known.some((noted) => !wanted.some((one) => isNotedAs(one, noted)));
}

/** Those of earlier versions too. */
async function tablesOfRollups(session: Session): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT table_name FROM duckdb_tables()
     WHERE database_name = current_database() AND NOT temporary
       AND (regexp_matches(table_name, '^(site|item)_(days|details|quarters)_\\d{4}_\\d{2}$')
         OR starts_with(table_name, 'rollup_') AND table_name <> 'rollup_periods')`,
  );
  return rows.map(([name]) => String(name));
}

/** Adds the counts of the events that a condition names as a new run of their periods. */
export async function insertCounts(
  session: Session,
  rollup: Rollup,
  run: number,
  where: Statement,
): Promise<void> {
  await gather(session, rollup, where);
  await addRuns(session, rollup);
  for (const table of rollup.tables) await insertFrom(session, rollup, table, run);
  await session.run('DROP TABLE arrived');
}

/** Everything that a rollup keeps of some events, in a table for a while. */
function gather(session: Session, rollup: Rollup, { sql, params }: Statement): Promise<void> {
  return session.run(
    `CREATE OR REPLACE TEMP TABLE arrived AS
     SELECT *, item_key(item) AS key,
       CAST(floor(slot / ${PERIOD_MS / finestMs(rollup)}) AS BIGINT) AS period
     FROM (${rollup.source(sql)})`,
    params,
  );
}

async function addRuns(session: Session, { name }: Rollup): Promise<void> {
  const periods = await session.rows('SELECT period, count(*) FROM arrived GROUP BY period');
  for (const [period, size] of periods) {
    const run = [name, Number(period), Number(size)];
    const known = await session.rows(
      `UPDATE rollup_periods SET runs = runs + 1, size = size + $3
       WHERE rollup = $1 AND period = $2 RETURNING 1`,
      run,
    );
    if (known.length > 0) continue;
    await session.run('INSERT INTO rollup_periods VALUES ($1, $2, 1, $3, $3)', run);
  }
}

function insertFrom(
  session: Session,
  rollup: Rollup,
  table: RollupTable,
  run: number,
  where = 'true',
): Promise<void> {
  const steps = table.stepMs / finestMs(rollup);
  return session.run(
    `INSERT INTO ${table.name} SELECT * EXCLUDE (period)
     FROM (SELECT period, ${rowOf(table, String(run), `CAST(floor(slot / ${steps}) AS BIGINT)`)}
       FROM arrived WHERE ${where} ${togetherIn(table)})
     ORDER BY period, ${orderOf(table)}`,
  );
}

/** Which parts of a table of a stretch of time, those of single items or of all of an app. */
export type Parts = (table: string, byItem: boolean) => string;

export const allParts: Parts = () => 'true';

export function dirtyParts(day: number): Parts {
  const isoDay = new Date(day).toISOString().slice(0, 10);
  return (table, byItem) => `EXISTS (SELECT 1 FROM dirty
    WHERE dirty.day = DATE '${isoDay}' AND dirty."service.name" = ${table}."service.name"
      ${byItem ? `AND dirty.item IS NOT DISTINCT FROM ${table}.item` : ''})`;
}

/** Marks the parts dirty that are of events that a condition names. */
export function insertDirty(session: Session, { sql, params }: Statement): Promise<void> {
  return session.run(
    `INSERT INTO dirty SELECT DISTINCT "service.name", CAST("@timestamp" AS DATE), item
     FROM events WHERE ${sql}`,
    params,
  );
}

export function cleanDay(session: Session, day: number): Promise<void> {
  return session.run('DELETE FROM dirty WHERE day = $1', [new Date(day)]);
}

/** What is counted anew, and from what. */
export interface Anew {
  /** Whole days. */
  readonly range: Range;
  readonly parts: Parts;
  /** These are many items, whose rows lie scattered over the period. */
  readonly areMany: boolean;
  /** From events of batches up to this one. */
  readonly upTo: number;
  /** Only from events for which this holds. */
  readonly where?: string;
}

/** Runs work in a transaction; it gives the vectors of which it has deleted rows, at most. */
export type Commit = (work: () => Promise<number>) => Promise<void>;

/**
 * Counts parts of some days anew, and what they are summed up in from all its parts. In several
 * commits, for each of which there is memory: until the last nobody may read these parts.
 */
export async function countAnew(
  session: Session,
  rollup: Rollup,
  { range, parts, areMany, upTo, where = 'true' }: Anew,
  commit: Commit,
): Promise<void> {
  await gather(session, rollup, {
    sql: `batch <= $1 AND "@timestamp" >= $2 AND "@timestamp" < $3
      AND ${parts('events', true)} AND ${where}`,
    params: [upTo, new Date(range.from), new Date(range.to)],
  });
  await commit(async () => {
    await addRuns(session, rollup);
    return 0;
  });
  for (const table of rollup.tables.filter(({ sumOf }) => sumOf === undefined)) {
    const old = `${within(table, range)} AND ${parts(table.name, true)}`;
    const liesByItem = table.sortedBy === 'item';
    const vectors = areMany || !liesByItem ? await vectorsOf(session, table, range) : VECTORS_MAX;
    const commits = liesByItem ? Math.ceil(vectors / VECTORS_MAX) : 1;
    for (const keys of keyRanges(Math.max(commits, 1))) {
      await commit(async () => {
        const [[gone = 0] = []] = await session.rows(
          `DELETE FROM ${table.name} WHERE ${old} AND ${keys}`,
        );
        await insertFrom(session, rollup, table, upTo, keys);
        return Math.min(Number(gone), vectors, VECTORS_MAX);
      });
    }
  }
  for (const table of rollup.tables.filter(({ sumOf }) => sumOf !== undefined)) {
    const summed = {
      range,
      run: String(upTo),
      where: (name: string) => parts(name, hasItems(table)),
    };
    await commit(() => sumAnew(session, rollup, table, summed));
  }
  await session.run('DROP TABLE arrived');
}

/** In how many vectors a table has rows of a stretch of time. */
async function vectorsOf(session: Session, table: RollupTable, range: Range): Promise<number> {
  const [[vectors = 0] = []] = await session.rows(
    `SELECT count(DISTINCT rowid // ${VECTOR_ROWS}) FROM ${table.name}
     WHERE ${within(table, range)}`,
  );
  return Number(vectors);
}

/** All keys in so many ranges. */
function keyRanges(count: number): readonly string[] {
  if (count === 1) return ['true'];
  const start = (index: number): number => Math.floor((2 ** 32 / count) * index);
  return Array.from(
    { length: count },
    (_, index) => `key BETWEEN ${start(index)} AND ${start(index + 1) - 1}`,
  );
}

/** Notes from which day on (epoch ms) a rollup is counted anew; Infinity: it is not, any more. */
export function noteAgain(session: Session, { name }: Rollup, day: number): Promise<void> {
  const again = Number.isFinite(day) ? `epoch_ms(${day})` : 'NULL';
  return session.run(`UPDATE rollups SET again = ${again} WHERE name = $1`, [name]);
}

/** Of a rollup that is about to be counted anew from a day on: how many rows it has is not known. */
export function forgetSizes(session: Session, { name }: Rollup, day: number): Promise<void> {
  return session.run(
    `UPDATE rollup_periods SET runs = 0, size = 0, sorted = 0 WHERE rollup = $1 AND period > $2`,
    [name, Math.floor(day / PERIOD_MS)],
  );
}

interface Resummed {
  readonly range: Range;
  readonly run: string;
  /** Which rows of a table of this name. */
  readonly where: (name: string) => string;
}

/**
 * Of a table that sums up another, makes rows of the steps that touch a stretch anew; gives how many
 * went.
 */
export async function sumAnew(
  session: Session,
  { tables }: Rollup,
  table: RollupTable,
  { range, run, where }: Resummed,
): Promise<number> {
  const parts = tables.find(({ name }) => name === table.sumOf);
  if (parts === undefined) return 0;
  const { stepMs } = table;
  const whole = {
    from: Math.floor(range.from / stepMs) * stepMs,
    to: Math.ceil(range.to / stepMs) * stepMs,
  };
  const steps = stepMs / parts.stepMs;
  const [[gone = 0] = []] = await session.rows(
    `DELETE FROM ${table.name} WHERE ${within(table, whole)} AND ${where(table.name)}`,
  );
  await session.run(
    `INSERT INTO ${table.name} SELECT ${rowOf(table, run, `CAST(floor(slot / ${steps}) AS BIGINT)`)}
     FROM ${parts.name} WHERE ${within(parts, whole)} AND ${where(parts.name)} GROUP BY ALL`,
  );
  return Number(gone);
}

/**
 * Brings the runs of a period up to a certain one into one, in which what is alike is put together.
 * In parts, each of which is a transaction; between them the table is as good as before.
 */
export function sortings(table: RollupTable, period: number, upTo: number): readonly Sorting[] {
  if (table.sortedBy === 'visitor') return [];
  return partsOf(table, period).map((part) => (session) => {
    const where = `run <= ${upTo} AND ${part}`;
    return session.transaction(async () => {
      await session.run(
        `CREATE OR REPLACE TEMP TABLE sorted AS
         SELECT ${rowOf(table, String(upTo))} FROM ${table.name} WHERE ${where} ${togetherIn(table)}`,
      );
      await session.run(`DELETE FROM ${table.name} WHERE ${where}`);
      await session.run(
        `INSERT INTO ${table.name} SELECT * FROM sorted ORDER BY ${orderOf(table)}`,
      );
      await session.run('DROP TABLE sorted');
    });
  });
}

export type Sorting = (session: Session) => Promise<void>;

/** Writes all tables anew, so that nothing of what was deleted is left in them. */
export async function writeAnew(session: Session, rollups: readonly Rollup[]): Promise<void> {
  for (const { name, tables } of rollups) {
    const periods = await session.rows(
      'SELECT period FROM rollup_periods WHERE rollup = $1 ORDER BY 1',
      [name],
    );
    for (const table of tables) {
      await session.run(`CREATE TABLE rollup_anew AS FROM ${table.name} LIMIT 0`);
      for (const part of periods.flatMap(([period]) => partsOf(table, Number(period)))) {
        await session.run(
          `INSERT INTO rollup_anew SELECT ${rowOf(table, isMerged(table) ? 'max(run)' : 'run')}
           FROM ${table.name} WHERE ${part} ${togetherIn(table)} ORDER BY ${orderOf(table)}`,
        );
      }
      await session.run(`DROP TABLE ${table.name}`);
      await session.run(`ALTER TABLE rollup_anew RENAME TO ${table.name}`);
    }
  }
  await session.run('UPDATE rollup_periods SET runs = 1, sorted = size');
  await session.run('CREATE OR REPLACE TABLE dirty AS SELECT * FROM dirty');
}

/** Notes that nobody asks a rollup for the days before one any more. */
export async function forgetBefore(session: Session, { name }: Rollup, day: number): Promise<void> {
  await session.run('UPDATE rollups SET since = $1 WHERE name = $2 AND since < $1', [
    new Date(day),
    name,
  ]);
  await session.run('DELETE FROM rollup_periods WHERE rollup = $1 AND period < $2', [
    name,
    Math.floor(day / PERIOD_MS),
  ]);
}

/** Deletes what a table has of the days before one, as far as a commit can. */
export function deleteForgotten(
  session: Session,
  { name, stepMs }: RollupTable,
  day: number,
): Promise<{ readonly gone: number; readonly isLast: boolean }> {
  return session.transaction(async () => {
    const old = { sql: `slot < ${day / stepMs}`, params: [] };
    const { rows, isLast } = await stretchOf(session, old, { table: name, areWholeFree: true });
    const [[gone = 0] = []] = await session.rows(`DELETE FROM ${name} WHERE ${rows.sql}`);
    return { gone: Number(gone), isLast };
  });
}

/** The columns of a row of a table, merged from others that have them. */
function rowOf(table: RollupTable, run: string, slot = 'slot'): string {
  return [
    `${run} AS run`,
    ...(hasKey(table) ? ['key'] : []),
    `${slot} AS slot`,
    ...table.groups,
    ...table.values.map(({ name, merge }) => `${merge}(${name}) AS ${name}`),
  ].join(', ');
}

/** Groups have the types that the source gives them. */
function createSql(rollup: Rollup, table: RollupTable): string {
  const columns = [
    'CAST(0 AS BIGINT) AS run',
    ...(hasKey(table) ? ['CAST(0 AS UINTEGER) AS key'] : []),
    'CAST(0 AS INTEGER) AS slot',
    ...table.groups,
    ...table.values.map(({ name, type }) => `CAST(${name} AS ${type}) AS ${name}`),
  ];
  return `CREATE TABLE ${table.name} AS
    SELECT ${columns.join(', ')} FROM (${rollup.source('false')}) LIMIT 0`;
}

/** The parts in which a period is sorted. */
function partsOf(table: RollupTable, period: number): readonly string[] {
  const range = { from: period * PERIOD_MS, to: (period + 1) * PERIOD_MS };
  switch (table.sortedBy) {
    case 'item':
      return keyRanges(SORT_PARTS).map((keys) => `${within(table, range)} AND ${keys}`);
    case 'event':
    case 'visitor':
      return Array.from(
        { length: PERIOD_MS / table.stepMs },
        (_, part) => `slot = ${range.from / table.stepMs + part}`,
      );
    case 'slot':
      return [within(table, range)];
  }
}

function within({ stepMs }: Pick<RollupTable, 'stepMs'>, { from, to }: Range): string {
  return `slot >= ${from / stepMs} AND slot < ${to / stepMs}`;
}

function orderOf({ sortedBy }: RollupTable): string {
  switch (sortedBy) {
    case 'item':
      return 'key, item, "service.name", slot';
    case 'event':
      return 'slot, "service.name", "event.action", bot, item';
    case 'slot':
      return '"service.name", slot';
    case 'visitor':
      return 'slot, visitor, "@timestamp"';
  }
}

function hasKey({ sortedBy }: RollupTable): boolean {
  return sortedBy === 'item' || sortedBy === 'visitor';
}

function isMerged({ values }: RollupTable): boolean {
  return values.length > 0;
}

/** Puts rows that are alike together. */
function togetherIn(table: RollupTable): string {
  return isMerged(table) ? 'GROUP BY ALL' : '';
}

export function hasItems({ sortedBy }: RollupTable): boolean {
  return sortedBy !== 'slot';
}

import type { Selection } from '../../event-store.ts';
import type { Range } from '../../query/query.ts';
import { definitionOf, finestMs, type Rollup, type RollupTable } from './rollup.ts';
import { DAY_MS } from './rollup-plan.ts';
import { quoted } from './schema.ts';
import type { Session, Statement } from './session.ts';

/** A month is sorted in so many parts: its memory is bounded, whatever the month holds. */
const SORT_PARTS = 16;

/**
 * - `rollups`: those that have tables, and how far they are counted
 * - `rollup_runs`: of each the UTC months that have rows: `runs` sorted for themselves; `size` in
 *   rows at most, of which `sorted` are in one run
 * - `outlived`: one row, the first day whose events are all there where counts are kept longer
 * - `dirty`: parts whose counts are wrong since something was erased
 */
export const ROLLUP_SCHEMA_SQL: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS rollups (name VARCHAR NOT NULL, definition VARCHAR NOT NULL,
    batch BIGINT NOT NULL, since TIMESTAMP NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS rollup_runs (rollup VARCHAR NOT NULL, month DATE NOT NULL,
    runs BIGINT NOT NULL, size BIGINT NOT NULL, sorted BIGINT NOT NULL)`,
  'CREATE TABLE IF NOT EXISTS outlived (day TIMESTAMP NOT NULL)',
  `INSERT INTO outlived
   SELECT TIMESTAMP '0001-01-01' WHERE NOT EXISTS (SELECT 1 FROM outlived)`,
  'CREATE TABLE IF NOT EXISTS dirty ("service.name" VARCHAR NOT NULL, day DATE NOT NULL, item VARCHAR)',
  // Sorted by this, row groups say what items they hold: of a text they know eight bytes only.
  `CREATE OR REPLACE MACRO item_key(item) AS
    coalesce(CAST(md5_number_lower(item) & 4294967295 AS UINTEGER), 0)`,
];

/** Drops what is not wanted any more, and of wanted rollups what is missing is made, empty. */
export async function arrange(session: Session, wanted: readonly Rollup[]): Promise<void> {
  const known = await session.rows('SELECT name, definition FROM rollups');
  const kept = wanted.filter((one) =>
    known.some(([name, definition]) => name === one.name && definition === definitionOf(one)),
  );
  const names = new Set(kept.flatMap(({ tables }) => tables.map(({ name }) => name)));
  for (const name of await tablesOfRollups(session)) {
    if (!names.has(name)) await session.run(`DROP TABLE ${quoted(name)}`);
  }
  for (const table of ['rollups', 'rollup_runs']) {
    const column = table === 'rollups' ? 'name' : 'rollup';
    await session.run(
      `DELETE FROM ${table} WHERE NOT list_contains(from_json($1, '["VARCHAR"]'), ${column})`,
      [JSON.stringify(kept.map(({ name }) => name))],
    );
  }
  for (const one of wanted.filter((rollup) => !kept.includes(rollup))) {
    for (const table of one.tables) await session.run(createSql(one, table));
    await session.run('INSERT INTO rollups SELECT $1, $2, 0, day FROM outlived', [
      one.name,
      definitionOf(one),
    ]);
  }
}

/** Those of earlier versions too. */
async function tablesOfRollups(session: Session): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT table_name FROM duckdb_tables()
     WHERE database_name = current_database() AND NOT temporary
       AND (regexp_matches(table_name, '^(site|item)_(days|details|quarters)_\\d{4}_\\d{2}$')
         OR starts_with(table_name, 'rollup_') AND table_name <> 'rollup_runs')`,
  );
  return rows.map(([name]) => String(name));
}

/** Adds the counts of the events that a condition names as a new run of their months. */
export async function insertCounts(
  session: Session,
  rollup: Rollup,
  run: number,
  where: Statement,
): Promise<void> {
  await gather(session, rollup, where);
  const months = await session.rows(
    'SELECT CAST(month AS VARCHAR), count(*) FROM arrived GROUP BY month',
  );
  for (const [month, size] of months) await addRun(session, rollup, String(month), Number(size));
  for (const table of rollup.tables) await insertFrom(session, rollup, table, run);
  await session.run('DROP TABLE arrived');
}

/** Everything that a rollup keeps of some events, in a table for a while. */
function gather(session: Session, rollup: Rollup, { sql, params }: Statement): Promise<void> {
  return session.run(
    `CREATE OR REPLACE TEMP TABLE arrived AS
     SELECT *, item_key(item) AS key,
       CAST(date_trunc('month', make_timestamp(slot * ${finestMs(rollup) * 1000})) AS DATE) AS month
     FROM (${rollup.source(sql)})`,
    params,
  );
}

async function addRun(session: Session, { name }: Rollup, month: string, size: number) {
  const known = await session.rows(
    `UPDATE rollup_runs SET runs = runs + 1, size = size + $3
     WHERE rollup = $1 AND month = CAST($2 AS DATE) RETURNING 1`,
    [name, month, size],
  );
  if (known.length > 0) return;
  await session.run('INSERT INTO rollup_runs VALUES ($1, CAST($2 AS DATE), 1, $3, $3)', [
    name,
    month,
    size,
  ]);
}

function insertFrom(
  session: Session,
  rollup: Rollup,
  table: RollupTable,
  run: number,
): Promise<void> {
  const steps = table.stepMs / finestMs(rollup);
  return session.run(
    `INSERT INTO ${table.name} SELECT * EXCLUDE (month)
     FROM (SELECT month, ${rowOf(table, String(run), `CAST(floor(slot / ${steps}) AS BIGINT)`)}
       FROM arrived GROUP BY ALL)
     ORDER BY month, ${orderOf(table)}`,
  );
}

/** Counts the dirty parts of a day anew, and the sites that they are of from all their items. */
export async function countDay(
  session: Session,
  rollup: Rollup,
  day: number,
  upTo: number,
): Promise<void> {
  const isoDay = new Date(day).toISOString().slice(0, 10);
  const isDirty = (table: string): string => `EXISTS (SELECT 1 FROM dirty
    WHERE dirty.day = DATE '${isoDay}' AND dirty."service.name" = ${table}."service.name"
      AND dirty.item IS NOT DISTINCT FROM ${table}.item)`;
  const ofDirtySite = `"service.name" IN
    (SELECT "service.name" FROM dirty WHERE day = DATE '${isoDay}')`;
  await gather(session, rollup, {
    sql: `batch <= $1 AND "@timestamp" >= $2 AND "@timestamp" < $3 AND ${isDirty('events')}`,
    params: [upTo, new Date(day), new Date(day + DAY_MS)],
  });
  await addRun(session, rollup, `${isoDay.slice(0, 7)}-01`, 0);
  const range = { from: day, to: day + DAY_MS };
  for (const table of rollup.tables.filter(isByItem)) {
    await session.run(
      `DELETE FROM ${table.name} WHERE ${within(table, range)} AND ${isDirty(table.name)}`,
    );
    await insertFrom(session, rollup, table, upTo);
  }
  for (const table of rollup.tables) {
    const items = rollup.tables.find(({ name }) => name === table.sumOf);
    if (items === undefined) continue;
    await session.run(`DELETE FROM ${table.name} WHERE ${within(table, range)} AND ${ofDirtySite}`);
    await session.run(
      `INSERT INTO ${table.name} SELECT ${rowOf(table, String(upTo))}
       FROM ${items.name} WHERE ${within(items, range)} AND ${ofDirtySite} GROUP BY ALL`,
    );
  }
  await session.run('DROP TABLE arrived');
}

/**
 * Brings the runs of a month up to a certain one into one, in which what is alike is put together.
 * In parts, each of which is a transaction; between them the table is as good as before.
 */
export function sortings(table: RollupTable, month: Range, upTo: number): readonly Sorting[] {
  return partsOf(table).map((part) => (session) => {
    const where = `${within(table, month)} AND run <= ${upTo} AND ${part}`;
    return session.transaction(async () => {
      await session.run(
        `CREATE OR REPLACE TEMP TABLE sorted AS
         SELECT ${rowOf(table, String(upTo))} FROM ${table.name} WHERE ${where} GROUP BY ALL`,
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
    const months = await session.rows(
      'SELECT epoch_ms(month), epoch_ms(month + INTERVAL 1 MONTH) FROM rollup_runs WHERE rollup = $1 ORDER BY 1',
      [name],
    );
    for (const table of tables) {
      await session.run(`CREATE TABLE rollup_anew AS FROM ${table.name} LIMIT 0`);
      for (const [from, to] of months) {
        const month = within(table, { from: Number(from), to: Number(to) });
        for (const part of partsOf(table)) {
          await session.run(
            `INSERT INTO rollup_anew SELECT ${rowOf(table, 'max(run)')}
             FROM ${table.name} WHERE ${month} AND ${part} GROUP BY ALL ORDER BY ${orderOf(table)}`,
          );
        }
      }
      await session.run(`DROP TABLE ${table.name}`);
      await session.run(`ALTER TABLE rollup_anew RENAME TO ${table.name}`);
    }
  }
  await session.run('UPDATE rollup_runs SET runs = 1, sorted = size');
  await session.run('CREATE OR REPLACE TABLE dirty AS SELECT * FROM dirty');
}

/** Deletes the counts of the days before one. */
export async function forgetBefore(
  session: Session,
  rollups: readonly Rollup[],
  day: number,
): Promise<void> {
  await session.run('UPDATE rollups SET since = $1 WHERE since < $1', [new Date(day)]);
  await session.run('DELETE FROM dirty WHERE day < $1', [new Date(day)]);
  await session.run('DELETE FROM rollup_runs WHERE month + INTERVAL 1 MONTH <= $1', [
    new Date(day),
  ]);
  for (const { name, stepMs } of rollups.flatMap(({ tables }) => tables)) {
    await session.run(`DELETE FROM ${name} WHERE slot < ${day / stepMs}`);
  }
}

/** Deletes an item's counts of days whose events are gone; those of the site stay. Returns how many. */
export async function eraseOutlived(
  session: Session,
  rollups: readonly Rollup[],
  { app, item = '', from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: Selection,
  outlived: number,
): Promise<number> {
  let erased = 0;
  for (const { name, stepMs } of rollups.flatMap(({ tables }) => tables.filter(isByItem))) {
    const [first, end] = [Math.ceil(from / stepMs), Math.floor(Math.min(to, outlived) / stepMs)];
    const rows = await session.rows(
      `DELETE FROM ${name} WHERE key = item_key($1) AND item = $1 AND slot < ${end}
       ${Number.isFinite(first) ? `AND slot >= ${first}` : ''}
       ${app === undefined ? '' : 'AND "service.name" = $2'}`,
      [item, ...(app === undefined ? [] : [app])],
    );
    erased += Number(rows[0]?.[0] ?? 0);
  }
  return erased;
}

/** In the commit that drops the events of the days before one. */
export function noteOutlived(session: Session, day: number): Promise<void> {
  return session.run('UPDATE outlived SET day = $1 WHERE day < $1', [new Date(day)]);
}

/** The columns of a row of a table, merged from others that have them. */
function rowOf(table: RollupTable, run: string, slot = 'slot'): string {
  return [
    `${run} AS run`,
    ...(isByItem(table) ? ['key'] : []),
    `${slot} AS slot`,
    ...table.groups,
    ...table.values.map(({ name, merge }) => `${merge}(${name}) AS ${name}`),
  ].join(', ');
}

/** Groups have the types that the source gives them. */
function createSql(rollup: Rollup, table: RollupTable): string {
  const columns = [
    'CAST(0 AS BIGINT) AS run',
    ...(isByItem(table) ? ['CAST(0 AS UINTEGER) AS key'] : []),
    'CAST(0 AS INTEGER) AS slot',
    ...table.groups,
    ...table.values.map(({ name, type }) => `CAST(${name} AS ${type}) AS ${name}`),
  ];
  return `CREATE TABLE ${table.name} AS
    SELECT ${columns.join(', ')} FROM (${rollup.source('false')}) LIMIT 0`;
}

function partsOf(table: RollupTable): readonly string[] {
  if (!isByItem(table)) return ['true'];
  const width = 2 ** 32 / SORT_PARTS;
  return Array.from(
    { length: SORT_PARTS },
    (_, part) => `key BETWEEN ${part * width} AND ${(part + 1) * width - 1}`,
  );
}

function within({ stepMs }: RollupTable, { from, to }: Range): string {
  return `slot >= ${from / stepMs} AND slot < ${to / stepMs}`;
}

function orderOf(table: RollupTable): string {
  return isByItem(table) ? 'key, item, "service.name", slot' : '"service.name", slot';
}

function isByItem({ sumOf }: RollupTable): boolean {
  return sumOf === undefined;
}

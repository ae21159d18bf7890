import type { Query } from '../../query/query.ts';
import type { Engine } from './engine.ts';
import {
  DAY_MS,
  grainOf,
  planRollups,
  ROLLUP_COLUMNS,
  type RollupPlan,
  scopeOf,
} from './rollup-plan.ts';
import { columnType, quoted } from './schema.ts';
import type { Session, Statement } from './session.ts';

export const ROLLUPS_DEFINITION: string = [
  'grain VARCHAR NOT NULL',
  ...ROLLUP_COLUMNS.map((column) => `${quoted(column)} ${columnType(column)}`),
  'events BIGINT NOT NULL',
].join(', ');

export const DIRTY_DEFINITION = '"service.name" VARCHAR NOT NULL, day DATE NOT NULL, item VARCHAR';

/**
 * Counts of whole UTC days, so that the cost of a tock does not grow with the events. `rollups`
 * has them, sorted by app and item within each month; `rolled` says which days they are of; `dirty`
 * which parts (app, day, item) have changed since, marked in the commit that changed them. A day
 * with a dirty part in the scope of a query is read live, as is every day that is not rolled. What
 * is rolled up is always computed from the events, never added to: all three tables can be emptied
 * at any time.
 */
export const ROLLUP_SCHEMA_SQL: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS rollups (${ROLLUPS_DEFINITION})`,
  'CREATE TABLE IF NOT EXISTS rolled (day DATE NOT NULL, run BIGINT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS dirty (${DIRTY_DEFINITION})`,
];

const DAY = 'CAST("@timestamp" AS DATE)';

/** Marks the parts of rolled days that rows of `events` or `incoming` belong to. */
export function markDirty(session: Session, table: string, where?: Statement): Promise<void> {
  return session.run(
    `INSERT INTO dirty SELECT DISTINCT "service.name", ${DAY}, item FROM ${table}
     WHERE ${DAY} IN (SELECT day FROM rolled) ${where ? `AND ${where.sql}` : ''}`,
    where?.params,
  );
}

/** Forgets the rollups of the days before a UTC day. */
export async function forgetRollups(session: Session, before: string): Promise<void> {
  await session.run('DELETE FROM rolled WHERE day < CAST($1 AS DATE)', [before]);
  await session.run('DELETE FROM dirty WHERE day < CAST($1 AS DATE)', [before]);
  await session.run('DELETE FROM rollups WHERE "@timestamp" < CAST($1 AS DATE)', [before]);
}

/** How a query is to be answered, as the transaction that it is asked in sees the rollups. */
export async function rollupPlan(session: Session, query: Query): Promise<RollupPlan | undefined> {
  const grain = grainOf(query);
  if (grain === undefined) return undefined;
  const { app, item } = scopeOf(query.filter);
  const params: (string | Date)[] = [new Date(query.range.from - DAY_MS), new Date(query.range.to)];
  const scope = [
    ...(app === undefined ? [] : [`AND "service.name" = $${params.push(app)}`]),
    ...(item === undefined ? [] : [`AND item = $${params.push(item)}`]),
  ];
  const days = await session.rows(
    `SELECT epoch_ms(day) FROM rolled
     WHERE day BETWEEN $1 AND $2 AND day NOT IN (SELECT day FROM dirty WHERE true ${scope.join(' ')})
     ORDER BY day`,
    params,
  );
  return planRollups(
    grain,
    query.range,
    days.map(([day]) => Number(day)),
  );
}

/** Events that are rolled up in one transaction, if they are of one day or more. */
const PIECE_EVENTS = 2_000_000;

/** Sorted runs of a month that a tock has to look through, at most. */
const RUNS_MAX = 6;

/** Rolls up the days before `today` (epoch ms of a UTC midnight) that are not, piece by piece. */
export async function rollUpDays(
  engine: Engine,
  today: number,
  signal: AbortSignal,
): Promise<void> {
  const rows = await engine.read((session) =>
    session.rows(
      `SELECT epoch_ms(${DAY}), count(*) FROM events
       WHERE "@timestamp" < $1 AND ${DAY} NOT IN (SELECT day FROM rolled) GROUP BY ALL ORDER BY 1`,
      [new Date(today)],
    ),
  );
  for (const piece of piecesOf(rows.map(([day, events]) => [Number(day), Number(events)]))) {
    if (signal.aborted) return;
    await engine.write((session) => session.transaction(() => rollUp(session, piece)));
    await engine.write((session) => sortMonth(session, piece[0] ?? 0));
  }
}

/** Days of one month each, and of so many events. */
function piecesOf(days: readonly (readonly [day: number, events: number])[]): readonly number[][] {
  const pieces: { readonly days: number[]; events: number }[] = [];
  for (const [day, events] of days) {
    const piece = pieces.at(-1);
    const isNext =
      piece &&
      monthOf(piece.days[0] ?? 0) === monthOf(day) &&
      piece.events + events <= PIECE_EVENTS;
    if (isNext) {
      piece.days.push(day);
      piece.events += events;
    } else {
      pieces.push({ days: [day], events });
    }
  }
  return pieces.map((piece) => piece.days);
}

async function rollUp(session: Session, days: readonly number[]): Promise<void> {
  const list = days.map((day) => `DATE '${isoDay(day)}'`).join(', ');
  const [from, to] = [days[0] ?? 0, (days.at(-1) ?? 0) + DAY_MS];
  await insertCounts(session, `${DAY} IN (${list})`, from, to);
  await session.run(
    `INSERT INTO rolled SELECT unnest([${list}]), (SELECT coalesce(max(run), 0) + 1 FROM rolled)`,
  );
}

/** Computes the dirty parts anew, a day at a time. */
export async function rollUpDirty(engine: Engine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const more = await engine.write((session) => session.transaction(() => cleanDay(session)));
    if (!more) return;
  }
}

async function cleanDay(session: Session): Promise<boolean> {
  const [row] = await session.rows('SELECT epoch_ms(min(day)) FROM dirty');
  const day = row?.[0] ?? null;
  if (day === null) return false;
  const [from, to] = [Number(day), Number(day) + DAY_MS];
  const isDirty = (table: string): string => `EXISTS (SELECT 1 FROM dirty
    WHERE dirty.day = DATE '${isoDay(from)}' AND dirty."service.name" = ${table}."service.name"
      AND dirty.item IS NOT DISTINCT FROM ${table}.item)`;
  await session.run(
    `DELETE FROM rollups WHERE "@timestamp" >= $1 AND "@timestamp" < $2 AND ${isDirty('rollups')}`,
    [new Date(from), new Date(to)],
  );
  await insertCounts(session, isDirty('events'), from, to);
  await session.run(`DELETE FROM dirty WHERE day = DATE '${isoDay(from)}'`);
  return true;
}

async function insertCounts(
  session: Session,
  where: string,
  from: number,
  to: number,
): Promise<void> {
  const counts = (grain: string, start: string, format: string, referer: string): string =>
    `SELECT '${grain}' AS grain, "service.name", item, ${start} AS start, "event.action", bot,
       ${format} AS format, ${referer} AS referer, count(*) AS events
     FROM events WHERE "@timestamp" >= $1 AND "@timestamp" < $2 AND ${where} GROUP BY ALL`;
  const quarter = `time_bucket(INTERVAL 15 MINUTES, "@timestamp")`;
  await session.run(
    `INSERT INTO rollups SELECT * FROM (
       ${counts('quarter', quarter, 'NULL', 'NULL')} UNION ALL
       ${counts('day', `date_trunc('day', "@timestamp")`, '"file.extension"', 'referer')})
     ORDER BY "service.name", item, grain, start`,
    [new Date(from), new Date(to)],
  );
}

/** Makes one sorted run of a month that has come to many. */
async function sortMonth(session: Session, day: number): Promise<void> {
  const month = `${monthOf(day)}-01`;
  const within = (column: string): string =>
    `${column} >= DATE '${month}' AND ${column} < DATE '${month}' + INTERVAL 1 MONTH`;
  const [row] = await session.rows(`SELECT count(DISTINCT run) FROM rolled WHERE ${within('day')}`);
  if (Number(row?.[0]) <= RUNS_MAX) return;
  await session.transaction(async () => {
    await session.run(
      `CREATE OR REPLACE TEMP TABLE unsorted AS SELECT * FROM rollups WHERE ${within('"@timestamp"')}`,
    );
    await session.run(`DELETE FROM rollups WHERE ${within('"@timestamp"')}`);
    await session.run(
      `INSERT INTO rollups SELECT * FROM unsorted
       ORDER BY "service.name", item, grain, "@timestamp"`,
    );
    await session.run('DROP TABLE unsorted');
    await session.run(
      `UPDATE rolled SET run = (SELECT max(run) + 1 FROM rolled) WHERE ${within('day')}`,
    );
  });
}

function monthOf(day: number): string {
  return isoDay(day).slice(0, 7);
}

function isoDay(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

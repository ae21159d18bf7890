/** What a user would write, each with `?` for what changes, over a table of raw events. */
export interface Scope {
  readonly item?: string;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
}

/** Names of columns, which are not the same in both engines. */
export interface Dialect {
  readonly table: string;
  readonly time: (epochMs: number) => string;
  readonly day: string;
  readonly columns: Readonly<Record<'time' | 'app' | 'event' | 'format', string>>;
}

export const inDuckdb: Dialect = {
  table: 'events',
  time: (epochMs) => `make_timestamp(${epochMs * 1000})`,
  day: 'CAST("@timestamp" AS DATE)',
  columns: {
    time: '"@timestamp"',
    app: '"service.name"',
    event: '"event.action"',
    format: '"file.extension"',
  },
};

export const inSqlite: Dialect = {
  table: 'events',
  time: String,
  day: "date(time / 1000, 'unixepoch')",
  columns: { time: 'time', app: 'app', event: 'event', format: 'format' },
};

/** The three statements of a tock. */
export function tockSql(dialect: Dialect, scope: Scope): readonly string[] {
  const { day, columns } = dialect;
  return [
    `SELECT ${day}, count(*) ${fromWhere(dialect, scope, 'view')} GROUP BY 1 ORDER BY 1 DESC`,
    `SELECT coalesce(${columns.format}, 'other'), count(*) ${fromWhere(dialect, scope, 'download')}
     GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100`,
    `SELECT referer, count(*) ${fromWhere(dialect, scope, 'view')} AND referer IS NOT NULL
     GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100`,
  ];
}

export function topItemsSql(dialect: Dialect, scope: Scope): string {
  return `SELECT item, count(*) ${fromWhere(dialect, scope, 'view')} AND item IS NOT NULL
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100`;
}

/** Of DuckDB alone: SQLite has but what a tock needs. */
export function errorsSql(scope: Scope): string {
  return `SELECT "error.grouping_key", count(*), count(DISTINCT "user.id"),
      min("@timestamp"), max("@timestamp") ${fromWhere(inDuckdb, scope, 'error')}
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100`;
}

export function bytesByRegionSql(scope: Scope): string {
  return `SELECT labels->>'region', sum(CAST(metrics->>'bytes' AS DOUBLE)), count(*)
    ${fromWhere(inDuckdb, scope, 'download')} GROUP BY 1 ORDER BY 2 DESC`;
}

function fromWhere(
  { table, time, columns }: Dialect,
  { item, from, to }: Scope,
  event: string,
): string {
  return `FROM ${table} WHERE ${columns.app} = 'default' AND bot IS NOT TRUE
    AND ${columns.event} = '${event}' ${item === undefined ? '' : `AND item = '${item}'`}
    AND ${columns.time} >= ${time(from)} AND ${columns.time} < ${time(to)}`;
}

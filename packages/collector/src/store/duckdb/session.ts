import { type DuckDBConnection, DuckDBTimestampValue, type DuckDBValue } from '@duckdb/node-api';

/** A value bound to a `$n`. Dates become UTC timestamps. */
export type Param = string | number | boolean | Date;

export interface Statement {
  readonly sql: string;
  readonly params: readonly Param[];
}

/** A connection, as the store's parts use it. */
export class Session {
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  async run(sql: string, params: readonly Param[] = []): Promise<void> {
    await this.#connection.run(sql, bound(params));
  }

  async rows(sql: string, params: readonly Param[] = []): Promise<DuckDBValue[][]> {
    const result = await this.#connection.run(sql, bound(params));
    return result.getRows();
  }

  /** Rows of a statement that the engine plans once: with bound values it does so twice. */
  async ask(statement: Statement): Promise<DuckDBValue[][]> {
    const sql = inlined(statement);
    if (sql === undefined) return this.rows(statement.sql, statement.params);
    const result = await this.#connection.run(sql);
    return result.getRows();
  }

  /** All of `work` or nothing. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run('BEGIN');
    try {
      const result = await work();
      await this.run('COMMIT');
      return result;
    } catch (error) {
      // The engine may have rolled back by itself; what counts is the first error.
      await this.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  close(): void {
    this.#connection.disconnectSync();
  }
}

function bound(params: readonly Param[]): DuckDBValue[] {
  return params.map((param) =>
    param instanceof Date ? new DuckDBTimestampValue(BigInt(param.getTime()) * 1000n) : param,
  );
}

/** Names and texts are passed over: what looks like a parameter in them is none. */
const TOKEN = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(?<index>\d+)/g;

/** The statement with its values written out; undefined where one cannot be. */
export function inlined({ sql, params }: Statement): string | undefined {
  if (params.some((param) => typeof param === 'string' && param.includes('\0'))) return undefined;
  return sql.replaceAll(TOKEN, (token, index: string | undefined) => {
    const param = index === undefined ? undefined : params[Number(index) - 1];
    return param === undefined ? token : literal(param);
  });
}

function literal(param: Param): string {
  if (param instanceof Date) return `make_timestamp(${BigInt(param.getTime()) * 1000n})`;
  if (typeof param === 'string') return `'${param.replaceAll("'", "''")}'`;
  // As it is bound: whole numbers are integers.
  const isPlain = typeof param === 'boolean' || Number.isSafeInteger(param);
  return isPlain ? String(param) : `CAST('${param}' AS DOUBLE)`;
}

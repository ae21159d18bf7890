import { type DuckDBConnection, DuckDBTimestampValue, type DuckDBValue } from '@duckdb/node-api';

/** A value bound to a `$n`. Dates become UTC timestamps; numbers are doubles. */
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

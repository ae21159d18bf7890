import type { DuckDBListValue, DuckDBValue } from '@duckdb/node-api';
import type { Row } from '../../query/query.ts';
import { startOfLocalDay } from '../../query/time-zone.ts';
import type { CompiledQuery } from './compile.ts';
import { columnType, eventColumns, quoted } from './schema.ts';

/** The engine's rows as the query's: numbers as numbers, local starts as instants. */
export function toRows(
  values: readonly (readonly DuckDBValue[])[],
  { columns, localStarts }: Pick<CompiledQuery, 'columns' | 'localStarts'>,
  timeZone: string,
): readonly Row[] {
  const instants = new Map<number, number>();
  const instant = (local: number): number => {
    const known = instants.get(local) ?? startOfLocalDay(local, timeZone);
    instants.set(local, known);
    return known;
  };
  return values.map((row) =>
    Object.fromEntries(
      columns.map((column, index) => {
        const value = plain(row[index] ?? null);
        return [column, localStarts.has(column) ? instant(Number(value)) : value];
      }),
    ),
  );
}

function plain(value: DuckDBValue): string | number | null {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  throw new TypeError(`a query answered with a ${typeof value}`);
}

/** What `toEvent` reads, in its order. */
export const EVENT_SELECTION: string = eventColumns
  .map((column) => {
    const name = quoted(column);
    const type = columnType(column);
    if (type === 'TIMESTAMP') return `epoch_ms(${name})`;
    return type === 'VARCHAR' ? `exact(${name})` : name;
  })
  .join(', ');

/** A row of `EVENT_SELECTION` as the event at rest. */
export function toEvent(row: readonly DuckDBValue[]): Record<string, unknown> {
  const entries = eventColumns.flatMap((column, index) => {
    const value = row[index] ?? null;
    return value === null ? [] : [[column, atRest(columnType(column), value)] as const];
  });
  return Object.fromEntries([...entries, ['@version', '1']]);
}

function atRest(type: string, value: NonNullable<DuckDBValue>): unknown {
  switch (type) {
    case 'TIMESTAMP':
      return new Date(Number(value)).toISOString();
    case 'BIGINT':
      return Number(value);
    case 'VARCHAR[]':
      return [...(value as DuckDBListValue).items];
    case 'JSON':
      return JSON.parse(String(value));
    default:
      return value;
  }
}

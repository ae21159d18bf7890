import type { Batch, Reject } from '../../event-store.ts';
import { isRecord } from '../../is-record.ts';
import { columnType, eventColumns, type EventColumn, isRequired } from './schema.ts';

/**
 * Sorts out the lines that the engine cannot read, after it refused the batch: it stops at the
 * first one and does not say which. Slow and rare: intake writes no such lines.
 */
export function readableLines(batch: Batch): {
  readonly lines: Buffer;
  readonly rejects: readonly Reject[];
} {
  const rejects: Reject[] = [];
  const lines = batch.lines.toString().split('\n').slice(0, -1);
  const readable = lines.filter((line, index) => {
    const reason = unreadable(line);
    if (reason !== undefined) rejects.push({ sequence: batch.first + index, reason });
    return reason === undefined;
  });
  return { lines: Buffer.from(readable.map((line) => `${line}\n`).join('')), rejects };
}

function unreadable(line: string): string | undefined {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return 'The line is not JSON.';
  }
  if (!isRecord(event)) return 'The line is not an object.';
  const column = eventColumns.find((name) => !fits(name, event[name]));
  return column && `The key ${column} is not ${description(column)}.`;
}

function fits(column: EventColumn, value: unknown): boolean {
  if (value === undefined || value === null) return !isRequired(column);
  switch (columnType(column)) {
    case 'VARCHAR':
      return typeof value === 'string';
    case 'DOUBLE':
      return typeof value === 'number';
    case 'BIGINT':
      return Number.isSafeInteger(value);
    case 'BOOLEAN':
      return typeof value === 'boolean';
    case 'TIMESTAMP':
      return typeof value === 'string' && ISO.test(value) && !Number.isNaN(Date.parse(value));
    case 'VARCHAR[]':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    default:
      return isRecord(value);
  }
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function description(column: EventColumn): string {
  switch (columnType(column)) {
    case 'VARCHAR':
      return 'a text';
    case 'DOUBLE':
    case 'BIGINT':
      return 'a number';
    case 'BOOLEAN':
      return 'true or false';
    case 'TIMESTAMP':
      return 'a time in ISO 8601';
    case 'VARCHAR[]':
      return 'a list of texts';
    default:
      return 'an object';
  }
}

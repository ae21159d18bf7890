import { type Answer, isObject, writeAnswer } from './answer.ts';
import type { Line, Table } from './table.ts';

/** How an answer is written. `table` is looked at only where the format has lines. */
interface Format {
  readonly type: string;
  readonly write: (answer: Answer, table: () => Table) => string;
}

export const FORMATS = {
  json: { type: 'application/json', write: writeAnswer },
  csv: { type: 'text/csv', write: (_, table) => writeCsv(table()) },
  ndjson: { type: 'application/x-ndjson', write: (_, table) => writeNdjson(table()) },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

export const formatNames = Object.keys(FORMATS) as readonly FormatName[];

function writeNdjson({ lines }: Table): string {
  return lines.map((line) => `${writeAnswer(line)}\n`).join('');
}

/** RFC 4180. Objects inside a line have a column for each member, lists are JSON. */
function writeCsv({ columns: first, lines }: Table): string {
  const flat = lines.map(flatten);
  const columns = [...new Set([...first, ...flat.flatMap((line) => [...line.keys()])])];
  // Objects have given way to the columns of their members; what has no value today stays.
  const used = columns.filter(
    (name) =>
      !columns.some((other) => other.startsWith(`${name}.`)) ||
      flat.some((line) => (line.get(name) ?? null) !== null),
  );
  const rows = flat.map((line) => used.map((name) => line.get(name) ?? null));
  return [used, ...rows].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('');
}

function flatten(line: Line): ReadonlyMap<string, Answer> {
  return new Map(
    Object.entries(line).flatMap(([name, value]): (readonly [string, Answer])[] => {
      if (!isObject(value)) return [[name, value]];
      return [...flatten(value)].map(([inner, member]) => [`${name}.${inner}`, member]);
    }),
  );
}

function cell(value: Answer): string {
  if (value === null) return '';
  if (typeof value !== 'string' && typeof value !== 'object') return String(value);
  const text = harmless(typeof value === 'string' ? value : writeAnswer(value));
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Spreadsheets run text that begins like a formula, and anyone can send an event with such a name
 * (https://owasp.org/www-community/attacks/CSV_Injection, also by full-width signs); after a quote
 * it is text.
 */
function harmless(text: string): string {
  return /^[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\t\r\n]/u.test(text) ? `'${text}` : text;
}

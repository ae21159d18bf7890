import type { FieldName } from '../event.ts';
import { MetronomeError } from '../errors.ts';
import { checkFilter, checkRange } from './check-query.ts';
import { resolveField } from './field.ts';
import type { Filter, Range } from './query.ts';

/**
 * Which events to read one by one, for what no measure can say: what a visitor did after what.
 * Rows come ordered by visitor (UTF-8 bytes, those without one last), then time, then place in
 * the journal.
 */
export interface Scan {
  /** What to read of each event. Booleans read as `'true'` or null, times as epoch ms. */
  readonly fields: readonly FieldName[];
  /** Whether a filter holds for the event, under a name of its own: 1 or 0. */
  readonly marks?: Readonly<Record<string, Filter>>;
  readonly filter?: Filter;
  readonly range: Range;
  /** Only of visitors that have an event in the range for which `having` holds: the newest `limit`. */
  readonly visitors?: { readonly having: Filter; readonly limit: number };
  /** Rows at most. */
  readonly limit: number;
}

export const SCAN_LIMITS = { rowsMax: 1_000_000, visitorsMax: 50_000 } as const;

/** As `checkQuery`: throws `bad-request` for what no store could do. */
export function checkScan({ fields, marks = {}, filter, range, visitors, limit }: Scan): void {
  checkRange(range);
  if (filter) checkFilter(filter, ['filter']);
  if (visitors) checkFilter(visitors.having, ['visitors', 'having']);
  for (const [name, mark] of Object.entries(marks)) checkFilter(mark, ['marks', name]);
  for (const name of fields) {
    const field = resolveField(name);
    if (field.kind === 'application' || field.many) refuse(`\`${name}\` may hold several values`);
  }
  const names = [...fields, ...Object.keys(marks)];
  if (new Set(names).size < names.length) refuse('fields and marks need different names');
  checkLimit(limit, SCAN_LIMITS.rowsMax);
  if (visitors) checkLimit(visitors.limit, SCAN_LIMITS.visitorsMax);
}

function checkLimit(limit: number, max: number): void {
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= max)) {
    refuse(`a scan has a limit from 1 to ${max}`);
  }
}

function refuse(message: string): never {
  throw new MetronomeError('bad-request', message);
}

import { expect } from 'vitest';
import type { Row } from '../../../src/query/query.ts';

/** The row as an expectation: fractions to 6 digits, since sums depend on their order. */
export function closeTo(row: Row): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isInteger(value) ? expect.closeTo(value, 6) : value,
    ]),
  );
}

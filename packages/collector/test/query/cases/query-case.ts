import type { Query, Row } from '../../../src/query/query.ts';

/** A query over the catalogue and the rows that every store must answer, in this order. */
export interface QueryCase {
  readonly name: string;
  readonly query: Query;
  readonly rows: readonly Row[];
}

/** 2026-10-24 to 2026-10-27 in UTC: all of the catalogue. */
export const all = { from: Date.UTC(2026, 9, 24), to: Date.UTC(2026, 9, 27) };

export const count = { kind: 'count' } as const;

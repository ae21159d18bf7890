import type { Order, Query, Row } from './query.ts';

/** What an order is made of: of measures their names. */
export type Ordered = Pick<Query, 'dimensions' | 'order'> & {
  readonly measures: Readonly<Record<string, unknown>>;
};

/** The query's order made explicit: what it asks for or its first measure, then every dimension. */
export function fullOrder(query: Ordered): readonly Order[] {
  const asked = query.order ?? defaultOrder(query);
  const ties = Object.keys(query.dimensions ?? {})
    .filter((name) => !asked.some((order) => order.by === name))
    .map((by): Order => ({ by, direction: 'ascending' }));
  return [...asked, ...ties];
}

/** Sorts rows as every store must return them: text by UTF-8 bytes, nulls last either way. */
export function orderRows(rows: readonly Row[], query: Ordered): Row[] {
  const order = fullOrder(query);
  return rows.toSorted((a, b) => {
    for (const { by, direction } of order) {
      const difference = compareValues(a[by] ?? null, b[by] ?? null, direction);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/** Unlike `<`, which compares UTF-16 units and so puts emoji before U+E000 to U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function defaultOrder(query: Ordered): readonly Order[] {
  const first = Object.keys(query.measures)[0];
  return first === undefined ? [] : [{ by: first, direction: 'descending' }];
}

function compareValues(a: Row[string], b: Row[string], direction: Order['direction']): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const difference =
    typeof a === 'number' && typeof b === 'number' ? a - b : compareUtf8(String(a), String(b));
  return direction === 'ascending' ? difference : -difference;
}

import type { Engine } from './engine.ts';
import type { Session, Statement } from './session.ts';

/** The engine keeps so many rows together. */
export const VECTOR_ROWS = 2048;
/** Of one commit. For each of which some rows go the engine takes 16 KB: a sixth of its memory. */
export const VECTORS_MAX = 1000;

export interface StretchOptions {
  readonly vectorsMax?: number;
  /** Those of which all rows go are not counted: they cost nothing. */
  readonly areWholeFree?: boolean;
  readonly table?: string;
}

/** The first of some rows, in the order of their table: as many as one commit can delete. */
export async function stretchOf(
  session: Session,
  { sql, params }: Statement,
  { vectorsMax = VECTORS_MAX, areWholeFree = false, table = 'events' }: StretchOptions = {},
): Promise<{ readonly rows: Statement; readonly isLast: boolean }> {
  const [[last = null] = []] = await session.rows(
    `SELECT rowid // ${VECTOR_ROWS} AS vector FROM ${table} WHERE ${sql} GROUP BY vector
     ${areWholeFree ? `HAVING count(*) < ${VECTOR_ROWS}` : ''}
     ORDER BY vector LIMIT 1 OFFSET ${vectorsMax - 1}`,
    params,
  );
  if (last === null) return { rows: { sql, params }, isLast: true };
  const end = (Number(last) + 1) * VECTOR_ROWS;
  return { rows: { sql: `${sql} AND rowid < ${end}`, params }, isLast: false };
}

/** Deletes a stretch by `work` until it was the last; gives how many rows have gone. */
export async function inStretches(
  engine: Engine,
  work: () => Promise<{ readonly gone: number; readonly isLast: boolean }>,
): Promise<number> {
  let all = 0;
  for (;;) {
    const { gone, isLast } = await work();
    all += gone;
    // What the engine notes of it in memory goes with the log.
    if (gone > 0) await engine.checkpoint();
    if (isLast) return all;
  }
}

import type { Engine } from './engine.ts';
import type { Session, Statement } from './session.ts';

/** The engine keeps so many rows together. */
const VECTOR_ROWS = 2048;
/** Of one commit. For each of which some rows go the engine takes 16 KB: a sixth of its memory. */
const VECTORS_MAX = 1000;

export interface StretchOptions {
  readonly vectorsMax?: number;
  /** Those of which all rows go are not counted: they cost nothing. */
  readonly areWholeFree?: boolean;
}

/** The first of some events, in the order of the table: as many as one commit can delete. */
export async function stretchOf(
  session: Session,
  { sql, params }: Statement,
  { vectorsMax = VECTORS_MAX, areWholeFree = false }: StretchOptions = {},
): Promise<{ readonly events: Statement; readonly isLast: boolean }> {
  const [[last = null] = []] = await session.rows(
    `SELECT rowid // ${VECTOR_ROWS} AS vector FROM events WHERE ${sql} GROUP BY vector
     ${areWholeFree ? `HAVING count(*) < ${VECTOR_ROWS}` : ''}
     ORDER BY vector LIMIT 1 OFFSET ${vectorsMax - 1}`,
    params,
  );
  if (last === null) return { events: { sql, params }, isLast: true };
  const end = (Number(last) + 1) * VECTOR_ROWS;
  return { events: { sql: `${sql} AND rowid < ${end}`, params }, isLast: false };
}

/** Deletes a stretch by `work` until it was the last; gives how many events have gone. */
export async function inStretches(
  engine: Engine,
  work: () => Promise<{ readonly gone: number; readonly isLast: boolean }>,
): Promise<number> {
  let all = 0;
  for (;;) {
    const { gone, isLast } = await work();
    all += gone;
    if (isLast) return all;
    // What the engine notes of it in memory goes with the log.
    await engine.checkpoint();
  }
}

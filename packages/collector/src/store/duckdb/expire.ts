import type { Engine } from './engine.ts';
import { takeOut } from './erase.ts';
import { noteOutlived, takeOutRows } from './rollup-tables.ts';
import type { Rollups } from './rollups.ts';
import { FILED_DAY } from './schema.ts';
import type { Session } from './session.ts';

/**
 * Deletes the events and tombstones of the days before a UTC day, and says so in the tallies; the
 * counts of the days from `countsBefore` on stay.
 */
export async function expire(
  engine: Engine,
  rollups: Rollups,
  before: string,
  countsBefore = before,
): Promise<number> {
  await rollups.forget(before, countsBefore);
  const old = { sql: `${FILED_DAY} < CAST($1 AS DATE)`, params: [before] };
  const inOneCommit = (work: (session: Session) => Promise<number>): Promise<number> =>
    engine.write((session) =>
      session.transaction(async () => {
        await session.run('DELETE FROM tombstones WHERE day < CAST($1 AS DATE)', [before]);
        return work(session);
      }),
    );
  if (countsBefore >= before) {
    return rollups.correcting((markDirty) =>
      inOneCommit(async (session) => {
        await markDirty(session, old);
        return takeOut(session, old, 'expired');
      }),
    );
  }
  const day = Date.parse(before);
  return rollups.outliving(day, (upTo) =>
    inOneCommit(async (session) => {
      await noteOutlived(session, day);
      const counted = { ...old, sql: `${old.sql} AND batch <= ${upTo}` };
      await takeOutRows(session, rollups.all, counted);
      return takeOut(session, counted, 'expired');
    }),
  );
}

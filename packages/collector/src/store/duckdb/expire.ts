import type { Engine } from './engine.ts';
import { takeOut } from './erase.ts';
import { noteOutlived, takeOutRows } from './rollup-tables.ts';
import type { Rollups } from './rollups.ts';
import { FILED_DAY, quotedText } from './schema.ts';
import type { Session } from './session.ts';

/**
 * Deletes the events and tombstones of the days before a UTC day, and says so in the tallies; the
 * counts of the days from `countsBefore` on stay. What is deleted are whole row groups, nearly all,
 * and of the others none is looked at (`docs/decisions/0008-days-of-one-table.md`).
 */
export async function expire(
  engine: Engine,
  rollups: Rollups,
  before: string,
  countsBefore = before,
): Promise<number> {
  await rollups.forget(before, countsBefore);
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
        let expired = 0;
        for (const sql of filedBefore(before)) {
          const old = { sql, params: [] };
          await markDirty(session, old);
          expired += await takeOut(session, old, 'expired');
        }
        return expired;
      }),
    );
  }
  const day = Date.parse(before);
  return rollups.outliving(day, (upTo) =>
    inOneCommit(async (session) => {
      await noteOutlived(session, day);
      // An event of a later day stays for as long as that: its count could not be told from others.
      const [ofEarlier] = filedBefore(before);
      const old = { sql: `${ofEarlier} AND batch <= ${upTo}`, params: [] };
      await takeOutRows(session, rollups.all, old);
      return takeOut(session, old, 'expired');
    }),
  );
}

/**
 * The events that are filed before a UTC day, in two parts, those of earlier days and those of later
 * ones: by a time that is no column by itself the engine would look at each event.
 */
function filedBefore(day: string): readonly [string, string] {
  const midnight = `TIMESTAMP ${quotedText(day)}`;
  const filed = `${FILED_DAY} < DATE ${quotedText(day)}`;
  return [
    `"@timestamp" < ${midnight} AND ${filed}`,
    `"event.created" < ${midnight} AND "@timestamp" >= ${midnight} AND ${filed}`,
  ];
}

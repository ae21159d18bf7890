import type { Engine } from './engine.ts';
import { takeOut } from './erase.ts';
import type { Rollups } from './rollups.ts';
import { FILED_DAY } from './schema.ts';

/** Deletes the events and tombstones of the days before a UTC day, and says so in the tallies. */
export async function expire(engine: Engine, rollups: Rollups, before: string): Promise<number> {
  await rollups.forget(before);
  return rollups.correcting((markDirty) =>
    engine.write((session) =>
      session.transaction(async () => {
        await session.run('DELETE FROM tombstones WHERE day < CAST($1 AS DATE)', [before]);
        const old = { sql: `${FILED_DAY} < CAST($1 AS DATE)`, params: [before] };
        await markDirty(session, old);
        return takeOut(session, old, 'expired');
      }),
    ),
  );
}

import type { Engine } from './engine.ts';
import { takeOut } from './erase.ts';
import { forgetRollups } from './rollup.ts';
import { FILED_DAY } from './schema.ts';

/** Deletes the events and tombstones of the days before a UTC day, and says so in the tallies. */
export function expire(engine: Engine, before: string): Promise<number> {
  return engine.write((session) =>
    session.transaction(async () => {
      await session.run('DELETE FROM tombstones WHERE day < CAST($1 AS DATE)', [before]);
      await forgetRollups(session, before);
      const old = { sql: `${FILED_DAY} < CAST($1 AS DATE)`, params: [before] };
      return takeOut(session, old, 'expired');
    }),
  );
}

import type { Selection } from '../../event-store.ts';
import { MARK } from '../../place-name.ts';
import type { Engine } from './engine.ts';
import type { Session, Statement } from './session.ts';
import type { Rollups } from './rollups.ts';
import { eraseOutlived } from './rollup-tables.ts';
import { FILED_DAY } from './schema.ts';
import { oweScrub, scrub } from './scrub.ts';
import { selected } from './select.ts';

/** As `placeName` has it: an event without id would come back under that. */
const NAME = `coalesce("event.id", '${MARK}' || "journal.collector" || '-' || "journal.sequence")`;

/** Erases what is selected, leaves tombstones, and says so in the tallies, in one commit. */
export async function erase(
  engine: Engine,
  rollups: Rollups,
  selection: Selection,
): Promise<number> {
  const { sql, params } = selected(selection);
  const erased = await rollups.correcting((markDirty, { outlived }) =>
    engine.write((session) =>
      session.transaction(async () => {
        await session.run(
          `INSERT INTO tombstones SELECT DISTINCT ${FILED_DAY},
             tombstone("service.name", ${NAME}, "event.created", CAST("event.ingested" AS DATE))
           FROM events WHERE ${sql}`,
          params,
        );
        await markDirty(session, { sql, params });
        const gone = await takeOut(session, { sql, params }, 'erased');
        const counts =
          selection.item === undefined || selection.visitor !== undefined
            ? 0
            : await eraseOutlived(session, rollups.all, selection, outlived);
        if (gone + counts > 0) await oweScrub(session);
        return gone;
      }),
    ),
  );
  if (erased > 0) await rollups.countDirty(new AbortController().signal);
  await scrub(engine, rollups.all);
  return erased;
}

/** Deletes events and counts them in their tallies; returns how many went. */
export async function takeOut(
  session: Session,
  { sql, params }: Statement,
  counted: 'erased' | 'expired',
): Promise<number> {
  const segments = await session.rows(
    `SELECT "journal.collector", "journal.segment", count(*) FROM events
     WHERE ${sql} GROUP BY ALL`,
    params,
  );
  if (segments.length === 0) return 0;
  for (const [collector, segment, events] of segments) {
    await session.run(
      `UPDATE tallies SET ${counted} = ${counted} + $1 WHERE collector = $2 AND segment = $3`,
      [Number(events), String(collector), Number(segment)],
    );
  }
  await session.run(`DELETE FROM events WHERE ${sql}`, params);
  return segments.reduce((sum, [, , events]) => sum + Number(events), 0);
}

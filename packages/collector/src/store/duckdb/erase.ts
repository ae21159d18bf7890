import type { Selection } from '../../event-store.ts';
import { MARK } from '../../place-name.ts';
import type { Engine } from './engine.ts';
import { eraseOutlived } from './outlived.ts';
import type { Session, Statement } from './session.ts';
import type { RollupState } from './rollup-plan.ts';
import type { MarkDirty, Rollups } from './rollups.ts';
import { FILED_DAY } from './schema.ts';
import { oweScrub, scrub } from './scrub.ts';
import { selected } from './select.ts';
import { inStretches, stretchOf, VECTORS_MAX } from './stretch.ts';

/** As `placeName` has it: an event without id would come back under that. */
const NAME = `coalesce("event.id", '${MARK}' || "journal.collector" || '-' || "journal.sequence")`;

/**
 * Erases what is selected, a stretch of the table at a time: each leaves tombstones and says so in
 * the tallies in its own commit. Where it breaks off, a part is erased.
 */
export async function erase(
  engine: Engine,
  rollups: Rollups,
  selection: Selection,
  vectorsMax = VECTORS_MAX,
): Promise<number> {
  // What one before left: with that, memory would be too short for this one.
  await scrub(engine, rollups.all);
  const erased = await inStretches(engine, () =>
    rollups.correcting((markDirty, state) =>
      engine.write((session) =>
        session.transaction(() =>
          eraseStretch(session, rollups, selection, { markDirty, state, vectorsMax }),
        ),
      ),
    ),
  );
  if (erased > 0) await rollups.countDirty(new AbortController().signal);
  await scrub(engine, rollups.all);
  return erased;
}

interface Erasing {
  readonly markDirty: MarkDirty;
  readonly state: RollupState;
  readonly vectorsMax: number;
}

async function eraseStretch(
  session: Session,
  rollups: Rollups,
  selection: Selection,
  { markDirty, state, vectorsMax }: Erasing,
): Promise<{ readonly gone: number; readonly isLast: boolean }> {
  const { rows: events, isLast } = await stretchOf(session, selected(selection), { vectorsMax });
  const gone = await takeOutForGood(session, events, markDirty);
  const isOfItem = selection.item !== undefined && selection.visitor === undefined;
  const counts =
    isLast && isOfItem ? await eraseOutlived(session, rollups.all, selection, state.outlived) : 0;
  if (gone + counts > 0) await oweScrub(session);
  return { gone, isLast };
}

async function takeOutForGood(
  session: Session,
  events: Statement,
  markDirty: MarkDirty,
): Promise<number> {
  await session.run(
    `INSERT INTO tombstones SELECT DISTINCT greatest(${FILED_DAY}, CAST("event.ingested" AS DATE)),
       tombstone("service.name", ${NAME}, "event.created", CAST("event.ingested" AS DATE))
     FROM events WHERE ${events.sql}`,
    events.params,
  );
  await markDirty(session, events);
  return takeOut(session, events, 'erased');
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

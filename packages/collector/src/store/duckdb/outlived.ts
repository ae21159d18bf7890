import type { Selection } from '../../event-store.ts';
import { DAY_MS, type RollupState } from './rollup-plan.ts';
import { countedOf } from './rollup-state.ts';
import type { Rollup } from './rollup.ts';
import {
  BEGINNING_MS,
  cleanDay,
  countAnew,
  dirtyParts,
  hasItems,
  insertCounts,
  insertDirty,
  sumAnew,
} from './rollup-tables.ts';
import { quotedText } from './schema.ts';
import type { Session, Statement } from './session.ts';

/*
 * Where counts are kept longer than their events, they know no single event any more, and nothing
 * can be taken out of them. So an event of the days before `outlived` that is there none the less
 * (it came late, or stays as long as a later day that its clock named) is in no count: it is read
 * live, can still be erased, and is counted in the commit that drops it.
 */

/** In the commit that drops some such events. */
export async function countLate(
  session: Session,
  rollups: readonly Rollup[],
  state: RollupState,
  { sql, params }: Statement,
): Promise<void> {
  const some = await session.rows(`SELECT 1 FROM events WHERE ${sql} LIMIT 1`, params);
  if (some.length === 0) return;
  for (const rollup of kept(rollups)) {
    const { upTo, since } = countedOf(state, rollup);
    const where = `${sql} AND "@timestamp" >= epoch_ms(${since})`;
    await insertCounts(session, rollup, upTo, { sql: where, params });
  }
}

/**
 * In the commit that drops the first events of a day, which are counted: from then on it counts among
 * those before `outlived`, and what stays of it is taken out of the counts. Gives false, and does
 * nothing, where it counts among them already: of a commit that failed one may not know.
 */
export async function outlive(
  session: Session,
  rollups: readonly Rollup[],
  state: RollupState,
  day: number,
  dropped: string,
): Promise<boolean> {
  const range = { from: day, to: day + DAY_MS };
  const noted = await session.rows('UPDATE outlived SET day = $1 WHERE day < $1 RETURNING 1', [
    new Date(range.to),
  ]);
  if (noted.length === 0) return false;
  const ofDay = `"@timestamp" >= epoch_ms(${range.from}) AND "@timestamp" < epoch_ms(${range.to})`;
  await insertDirty(session, { sql: `${ofDay} AND NOT (${dropped})`, params: [] });
  const stays = await session.rows('SELECT 1 FROM dirty WHERE day = $1 LIMIT 1', [new Date(day)]);
  if (stays.length === 0) return true;
  for (const rollup of kept(rollups)) {
    const { upTo, since } = countedOf(state, rollup);
    if (day < since) continue;
    const anew = { range, parts: dirtyParts(day), areMany: false, upTo, where: dropped };
    await countAnew(session, rollup, anew, async (work) => void (await work()));
  }
  await cleanDay(session, day);
  return true;
}

/** Deletes an item's counts of days whose events are gone; those of the site stay. Returns how many. */
export async function eraseOutlived(
  session: Session,
  rollups: readonly Rollup[],
  { app, item = '', from = BEGINNING_MS, to = Number.POSITIVE_INFINITY }: Selection,
  outlived: number,
): Promise<number> {
  const texts = [item, ...(app === undefined ? [] : [app])].map(quotedText);
  const range = { from, to: Math.min(to, outlived) };
  if (range.from >= range.to) return 0;
  const where = `item = ${texts[0]} ${app === undefined ? '' : `AND "service.name" = ${texts[1]}`}`;
  let erased = 0;
  for (const rollup of kept(rollups)) {
    const items = rollup.tables.filter(hasItems);
    for (const table of items.filter(({ sumOf }) => sumOf === undefined)) {
      const whole = {
        from: Math.ceil(from / table.stepMs),
        to: Math.floor(range.to / table.stepMs),
      };
      const rows = await session.rows(
        `DELETE FROM ${table.name} WHERE key = item_key(${texts[0]}) AND ${where}
         AND slot >= ${whole.from} AND slot < ${whole.to}`,
      );
      erased += Number(rows[0]?.[0] ?? 0);
    }
    for (const table of items) {
      await sumAnew(session, rollup, table, { range, run: 'max(run)', where: () => where });
    }
  }
  return erased;
}

/** Those that are kept longer than their events. */
function kept(rollups: readonly Rollup[]): readonly Rollup[] {
  return rollups.filter(({ isOfEvents }) => !isOfEvents);
}

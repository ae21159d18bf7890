import type { Range } from '../../query/query.ts';
import { type Counted, COUNTS, type DirtyPart, type RollupState } from './rollup-plan.ts';
import { isNotedAs, type Rollup, tableName } from './rollup.ts';
import type { Session, Statement } from './session.ts';

/** How far a rollup is in a state. */
export function countedOf({ rollups }: RollupState, { name }: Rollup): Counted {
  return rollups.get(name) ?? { upTo: 0, since: 0, again: Number.POSITIVE_INFINITY };
}

/** What the tables say of the rollups that are wanted; of those of another definition nothing. */
export function readState(session: Session, wanted: readonly Rollup[]): Promise<RollupState> {
  return session.transaction(async () => {
    const rows = await session.rows(
      'SELECT name, definition, batch, epoch_ms(since), epoch_ms(again) FROM rollups',
    );
    const rollups = wanted.flatMap((rollup) => {
      const row = rows.find((one) => isNotedAs(rollup, one));
      return row ? [[rollup.name, toCounted(row)] as const] : [];
    });
    const dirty = await session.rows('SELECT "service.name", epoch_ms(day), item FROM dirty');
    const [[outlived = 0] = []] = await session.rows('SELECT epoch_ms(max(day)) FROM outlived');
    return {
      rollups: new Map(rollups),
      last: undefined,
      outlived: Number(outlived),
      dirty: dirty.map(toPart),
    };
  });
}

/** Says what of the counts will be wrong without the events that a condition names. */
export async function markDirty(
  session: Session,
  { rollups, outlived }: RollupState,
  { sql, params }: Statement,
): Promise<readonly DirtyPart[]> {
  const all = [...rollups.values()];
  const upTo = Math.max(0, ...all.map((one) => one.upTo));
  const since = Math.max(outlived, Math.min(...all.map((one) => one.since)));
  const at = params.length;
  const marked = await session.rows(
    `INSERT INTO dirty SELECT DISTINCT "service.name", CAST("@timestamp" AS DATE), item
     FROM events WHERE ${sql} AND batch <= $${at + 1} AND "@timestamp" >= $${at + 2}
     RETURNING "service.name", epoch_ms(day), item`,
    [...params, upTo, new Date(since)],
  );
  return marked.map(toPart);
}

function toCounted([, , batch, since, again]: readonly unknown[]): Counted {
  return {
    upTo: Number(batch),
    since: Number(since),
    again: again === null ? Number.POSITIVE_INFINITY : Number(again),
  };
}

function toPart([app, day, item]: readonly unknown[]): DirtyPart {
  return { app: String(app), day: Number(day), item: typeof item === 'string' ? item : null };
}

/**
 * Events of some stretches of time by their counts: at least those that are there. Of days whose
 * counts outlive their events, the events themselves.
 */
export async function eventsIn(
  session: Session,
  stretches: readonly Range[],
  outlived: number,
): Promise<number> {
  const { stepMs } = COUNTS.site_quarters;
  const slots = stretches.map(
    ({ from, to }) =>
      `slot >= ${Math.floor(Math.max(from, outlived) / stepMs)} AND slot < ${Math.ceil(to / stepMs)}`,
  );
  const late = stretches.map(
    ({ from, to }) =>
      `"@timestamp" >= epoch_ms(${from}) AND "@timestamp" < epoch_ms(${Math.min(to, outlived)})`,
  );
  const [[counted = 0, there = 0] = []] = await session.rows(
    `SELECT
       (SELECT coalesce(sum(events), 0) FROM ${tableName('site_quarters')} WHERE ${slots.join(' OR ')}),
       (SELECT count(*) FROM events WHERE ${late.join(' OR ')})`,
  );
  return Number(counted) + Number(there);
}

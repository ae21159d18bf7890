import { DuckDBListValue } from '@duckdb/node-api';
import type { Range } from '../../query/query.ts';
import { type Counted, COUNTS, type DirtyDay, type RollupState } from './rollup-plan.ts';
import { isNotedAs, type Rollup, tableName } from './rollup.ts';
import { insertDirty } from './rollup-tables.ts';
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
    const [[outlived = 0] = []] = await session.rows('SELECT epoch_ms(max(day)) FROM outlived');
    return {
      rollups: new Map(rollups),
      last: undefined,
      outlived: Number(outlived),
      dirty: await readDirty(session),
    };
  });
}

/**
 * Says what of the counts will be wrong without the events that a condition names, and gives all of
 * which that is known.
 */
export async function markDirty(
  session: Session,
  { rollups, outlived }: RollupState,
  { sql, params }: Statement,
): Promise<readonly DirtyDay[]> {
  const all = [...rollups.values()];
  const upTo = Math.max(0, ...all.map((one) => one.upTo));
  const since = Math.max(outlived, Math.min(...all.map((one) => one.since)));
  const at = params.length;
  await insertDirty(session, {
    sql: `${sql} AND batch <= $${at + 1} AND "@timestamp" >= $${at + 2}`,
    params: [...params, upTo, new Date(since)],
  });
  return readDirty(session);
}

function toCounted([, , batch, since, again]: readonly unknown[]): Counted {
  return {
    upTo: Number(batch),
    since: Number(since),
    again: again === null ? Number.POSITIVE_INFINITY : Number(again),
  };
}

/** An app's items that are known to be dirty on a day, one by one. */
const ITEMS_MAX = 1000;

async function readDirty(session: Session): Promise<readonly DirtyDay[]> {
  const rows = await session.rows(
    `SELECT "service.name", epoch_ms(day),
       CASE WHEN count(*) <= ${ITEMS_MAX} THEN list(exact(item)) END
     FROM dirty GROUP BY "service.name", day ORDER BY day`,
  );
  return rows.map(([app, day, list]) => ({
    app: String(app),
    day: Number(day),
    ...(list instanceof DuckDBListValue && { items: new Set(list.items as (string | null)[]) }),
  }));
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

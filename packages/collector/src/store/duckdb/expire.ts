import type { Engine } from './engine.ts';
import { takeOut } from './erase.ts';
import { countLate, outlive } from './outlived.ts';
import { DAY_MS, type RollupState } from './rollup-plan.ts';
import { countedOf } from './rollup-state.ts';
import type { Rollups } from './rollups.ts';
import { FILED_DAY, quotedText } from './schema.ts';
import type { Session } from './session.ts';
import { inStretches, stretchOf, VECTORS_MAX } from './stretch.ts';

/**
 * Deletes the events and tombstones of the days before a UTC day, and says so in the tallies; the
 * counts of the days from `countsBefore` on stay. What is deleted are whole row groups, nearly all,
 * and of the others none is looked at (`docs/decisions/0008-days-of-one-table.md`).
 */
export async function expire(
  engine: Engine,
  rollups: Rollups,
  before: string,
  { countsBefore = before, vectorsMax = VECTORS_MAX }: ExpireOptions = {},
): Promise<number> {
  await rollups.forget(before, countsBefore);
  const expiry = { engine, rollups, before, vectorsMax };
  const expired = await (countsBefore < before ? expireOutlived(expiry) : expireWithCounts(expiry));
  // After the events: what is still there of these days may have tombstones that matter.
  await engine.write((session) =>
    session.run('DELETE FROM tombstones WHERE day < CAST($1 AS DATE)', [before]),
  );
  return expired;
}

export interface ExpireOptions {
  /** A UTC day. */
  readonly countsBefore?: string | undefined;
  /** See `StretchOptions`. */
  readonly vectorsMax?: number;
}

interface Expiry {
  readonly engine: Engine;
  readonly rollups: Rollups;
  readonly before: string;
  readonly vectorsMax: number;
}

async function expireWithCounts({ engine, rollups, before, vectorsMax }: Expiry): Promise<number> {
  let expired = 0;
  for (const sql of filedBefore(before)) {
    const old = { sql, params: [] };
    expired += await inStretches(engine, () =>
      rollups.correcting((markDirty) =>
        engine.write((session) =>
          session.transaction(async () => {
            const { rows: events, isLast } = await stretchOf(session, old, {
              vectorsMax,
              areWholeFree: true,
            });
            await markDirty(session, events);
            return { gone: await takeOut(session, events, 'expired'), isLast };
          }),
        ),
      ),
    );
  }
  return expired;
}

async function expireOutlived(expiry: Expiry): Promise<number> {
  const day = Date.parse(expiry.before);
  const expired = await expiry.rollups.outliving(day, async (state, noteOutlived) => {
    const counted = await expireCounted(expiry, state, noteOutlived);
    const outlived = Math.max(state.outlived, day);
    return counted + (await expireLate(expiry, { ...state, outlived }));
  });
  return expired ?? 0;
}

/**
 * Drops what is counted, day by day, as far as a commit can. What stays of such a day from then on
 * counts as late: also an event of a later day by its clock, which stays as long as that.
 */
async function expireCounted(
  { engine, rollups: { all }, before, vectorsMax }: Expiry,
  state: RollupState,
  noteOutlived: (day: number) => void,
): Promise<number> {
  const end = Date.parse(before);
  const upTo = Math.min(...all.map((rollup) => countedOf(state, rollup).upTo));
  const [old] = filedBefore(before);
  let expired = 0;
  let from = state.outlived;
  while (from < end) {
    const day = await engine.read((session) => firstDay(session, from, end));
    const ofDay = `"@timestamp" >= epoch_ms(${day}) AND "@timestamp" < epoch_ms(${day + DAY_MS})`;
    const counted = { sql: `${ofDay} AND ${old} AND batch <= ${upTo}`, params: [] };
    from = day + DAY_MS;
    expired += await engine.writeUnseen(async (session) => {
      const gone = await session.transaction(async () => {
        const { rows: events } = await stretchOf(session, counted, {
          vectorsMax,
          areWholeFree: true,
        });
        const isNew = await outlive(session, all, state, day, events.sql);
        return isNew ? takeOut(session, events, 'expired') : 0;
      });
      noteOutlived(from);
      return gone;
    });
  }
  return expired;
}

/** The first day with events in a stretch of whole days, or its last. */
async function firstDay(session: Session, from: number, end: number): Promise<number> {
  const [[day = null] = []] = await session.rows(
    `SELECT epoch_ms(CAST(min("@timestamp") AS DATE)) FROM events
     WHERE "@timestamp" >= epoch_ms(${from}) AND "@timestamp" < epoch_ms(${end})`,
  );
  return day === null ? end - DAY_MS : Number(day);
}

/** Drops what came late to days whose other events are dropped. */
function expireLate(
  { engine, rollups, before, vectorsMax }: Expiry,
  state: RollupState,
): Promise<number> {
  const [old] = filedBefore(before);
  const late = { sql: `${old} AND "@timestamp" < epoch_ms(${state.outlived})`, params: [] };
  return inStretches(engine, () =>
    engine.writeUnseen((session) =>
      session.transaction(async () => {
        const { rows: events, isLast } = await stretchOf(session, late, { vectorsMax });
        await countLate(session, rollups.all, state, events);
        return { gone: await takeOut(session, events, 'expired'), isLast };
      }),
    ),
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

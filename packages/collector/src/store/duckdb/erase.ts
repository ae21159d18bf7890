import { MetronomeError } from '../../errors.ts';
import type { Selection } from '../../event-store.ts';
import type { Engine } from './engine.ts';
import type { Param, Session, Statement } from './session.ts';
import { EVENT_SELECTION, toEvent } from './rows.ts';
import { markDirty, rollUpDirty } from './rollup.ts';
import { FILED_DAY } from './schema.ts';
import { oweScrub, scrub } from './scrub.ts';

/** Erases what is selected, leaves tombstones, and says so in the tallies, in one commit. */
export async function erase(engine: Engine, selection: Selection): Promise<number> {
  const { sql, params } = selected(selection);
  const erased = await engine.write((session) =>
    session.transaction(async () => {
      await session.run(
        `INSERT INTO tombstones SELECT DISTINCT ${FILED_DAY},
           tombstone("service.name", "event.id", "event.created", CAST("event.ingested" AS DATE))
         FROM events WHERE "event.id" IS NOT NULL AND ${sql}`,
        params,
      );
      const gone = await takeOut(session, { sql, params }, 'erased');
      if (gone > 0) await oweScrub(session);
      return gone;
    }),
  );
  if (erased > 0) {
    await rollUpDirty(engine, new AbortController().signal);
    await scrub(engine);
  }
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
  await markDirty(session, 'events', { sql, params });
  await session.run(`DELETE FROM events WHERE ${sql}`, params);
  return segments.reduce((sum, [, , events]) => sum + Number(events), 0);
}

/** The selected events as at rest, oldest first. */
export async function* exported(
  engine: Engine,
  selection: Selection,
): AsyncGenerator<Record<string, unknown>> {
  const { sql, params } = selected(selection);
  const rows = engine.stream({
    sql: `SELECT ${EVENT_SELECTION} FROM events WHERE ${sql}
      ORDER BY "@timestamp", "journal.collector", "journal.sequence"`,
    params,
  });
  for await (const row of rows) yield toEvent(row);
}

function selected(selection: Selection): Statement {
  const parts: readonly (readonly [string, Param | undefined])[] = [
    ['"service.name" =', selection.app],
    ['"user.id" =', selection.visitor],
    ['item =', selection.item],
    ['"@timestamp" >=', selection.from === undefined ? undefined : new Date(selection.from)],
    ['"@timestamp" <', selection.to === undefined ? undefined : new Date(selection.to)],
  ];
  const params: Param[] = [];
  const conditions = parts.flatMap(([test, value]) =>
    value === undefined ? [] : [`${test} $${params.push(value)}`],
  );
  if (conditions.length === 0) {
    throw new MetronomeError(
      'bad-request',
      'Say which events: by app, visitor, item, or a time range.',
    );
  }
  return { sql: conditions.join(' AND '), params };
}

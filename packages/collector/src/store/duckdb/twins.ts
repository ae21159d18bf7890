import type { EventColumn } from './schema.ts';
import type { Session } from './engine.ts';

/** The columns of `incoming`: what says whether two events are one. */
export const IDENTITY: readonly EventColumn[] = [
  'journal.sequence',
  'service.name',
  'event.id',
  'event.created',
  'event.ingested',
];

/**
 * Deletes from `incoming` the events whose twin comes earlier in the batch or is stored already,
 * and gives their number. A twin has the same app, id and client time; without client time the
 * same app and id, received on the same day or the day before.
 */
export async function dropTwins(session: Session): Promise<number> {
  return (
    (await dropTwinsInBatch(session)) +
    (await dropStoredTwins(session)) +
    (await dropTwinsWithoutTime(session))
  );
}

function dropTwinsInBatch(session: Session): Promise<number> {
  return drop(
    session,
    `SELECT unnest(list_sort(list("journal.sequence"))[2:]) FROM incoming
     WHERE "event.id" IS NOT NULL AND "event.created" IS NOT NULL
     GROUP BY "service.name", "event.id", "event.created" HAVING count(*) > 1`,
  );
}

/** At most so many stretches of time are looked at for one batch. */
const STRETCHES_MAX = 16;

/**
 * A join with `events`, held to the batch's own client times: the engine then reads only the row
 * groups of those times, however large the table is. One late event among many of now would
 * stretch that to all between, so each cluster of times is looked at by itself.
 */
async function dropStoredTwins(session: Session): Promise<number> {
  const hours = await session.rows(
    `SELECT epoch_ms(min("event.created")), epoch_ms(max("event.created")) FROM incoming
     WHERE "event.id" IS NOT NULL AND "event.created" IS NOT NULL
     GROUP BY date_trunc('hour', "event.created") ORDER BY 1`,
  );
  const stretches = mergeStretches(
    hours.map(([from, to]) => ({ from: Number(from), to: Number(to) })),
    STRETCHES_MAX,
  );
  let dropped = 0;
  for (const { from, to } of stretches) {
    dropped += await drop(
      session,
      `SELECT i."journal.sequence" FROM events e JOIN incoming i
         ON e."event.created" = i."event.created" AND e."event.id" = i."event.id"
         AND e."service.name" = i."service.name"
       WHERE e."event.created" BETWEEN $1 AND $2`,
      [new Date(from), new Date(to)],
    );
  }
  return dropped;
}

/** Epoch ms, both inclusive. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Joins neighbours over the smallest gaps until at most `max` stretches are left. */
export function mergeStretches(sorted: readonly Stretch[], max: number): readonly Stretch[] {
  const widestGaps = sorted
    .slice(1)
    .map((stretch, index) => ({ gap: stretch.from - (sorted[index]?.to ?? 0), start: index + 1 }))
    .toSorted((a, b) => b.gap - a.gap)
    .slice(0, max - 1);
  const starts = [0, ...widestGaps.map(({ start }) => start)].toSorted((a, b) => a - b);
  return starts.flatMap((start, index) => {
    const from = sorted[start];
    const to = sorted[(starts[index + 1] ?? sorted.length) - 1];
    return from && to ? [{ from: from.from, to: to.to }] : [];
  });
}

const dayMs = 86_400_000;

/**
 * Without a client time an event is compared with what is kept of its own day and the day before,
 * and whether it is kept decides about the next: that is a loop, not a join. Few events are so.
 */
async function dropTwinsWithoutTime(session: Session): Promise<number> {
  const incoming = await session.rows(
    `SELECT "journal.sequence", "service.name", "event.id", epoch_ms("event.ingested") // ${dayMs}
     FROM incoming WHERE "event.id" IS NOT NULL AND "event.created" IS NULL ORDER BY 1`,
  );
  if (incoming.length === 0) return 0;
  const days = incoming.map(([, , , day]) => Number(day));
  const stored = await session.rows(
    `SELECT DISTINCT e."service.name", e."event.id", epoch_ms(e."event.ingested") // ${dayMs}
     FROM events e SEMI JOIN incoming i
       ON e."event.id" = i."event.id" AND e."service.name" = i."service.name"
       AND i."event.created" IS NULL
     WHERE e."event.created" IS NULL AND e."event.ingested" >= $1 AND e."event.ingested" < $2`,
    [
      new Date((days.reduce((a, b) => Math.min(a, b)) - 1) * dayMs),
      new Date((days.reduce((a, b) => Math.max(a, b)) + 1) * dayMs),
    ],
  );
  const kept = new Set(stored.map(([app, id, day]) => key(app, id, Number(day))));
  const twins = incoming.flatMap(([sequence, app, id, day]) => {
    const own = key(app, id, Number(day));
    if (kept.has(own) || kept.has(key(app, id, Number(day) - 1))) return [Number(sequence)];
    kept.add(own);
    return [];
  });
  if (twins.length === 0) return 0;
  return drop(session, `SELECT unnest(from_json($1, '["BIGINT"]'))`, [JSON.stringify(twins)]);
}

function key(app: unknown, id: unknown, day: number): string {
  return JSON.stringify([app, id, day]);
}

async function drop(
  session: Session,
  sequences: string,
  params: readonly (string | Date)[] = [],
): Promise<number> {
  const rows = await session.rows(
    `DELETE FROM incoming WHERE "journal.sequence" IN (${sequences})`,
    params,
  );
  return Number(rows[0]?.[0]);
}

import type { Session } from './engine.ts';

/**
 * Finds the incoming events whose twin is stored already, or comes earlier in the batch: the same
 * app, id and client time; without client time the same app and id, received on the same day or
 * the day before. Gives the journal sequences of those that must not be stored.
 *
 * Looking for stored twins is a join with `events` that is held to the batch's own times, so that
 * it reads only the row groups of those times, however large the table is.
 */
export async function findTwins(session: Session, first: number): Promise<ReadonlySet<number>> {
  const found = [
    ...(await twinsInBatch(session, first)),
    ...(await storedTwins(session, first)),
    ...(await twinsWithoutTime(session, first)),
  ];
  return new Set(found);
}

async function twinsInBatch(session: Session, first: number): Promise<number[]> {
  const rows = await session.rows(
    `SELECT unnest(list_sort(list("journal.sequence"))[2:]) FROM incoming
     WHERE "event.created" IS NOT NULL AND "event.id" IS NOT NULL AND "journal.sequence" >= ${first}
     GROUP BY "service.name", "event.id", "event.created" HAVING count(*) > 1`,
  );
  return rows.map(([sequence]) => Number(sequence));
}

/** At most so many stretches of time are looked at for one batch. */
const STRETCHES_MAX = 16;

async function storedTwins(session: Session, first: number): Promise<number[]> {
  const hours = await session.rows(
    `SELECT epoch_ms(min("event.created")), epoch_ms(max("event.created")) FROM incoming
     WHERE "event.id" IS NOT NULL AND "event.created" IS NOT NULL AND "journal.sequence" >= ${first}
     GROUP BY date_trunc('hour', "event.created") ORDER BY 1`,
  );
  const stretches = merge(
    hours.map(([from, to]) => ({ from: Number(from), to: Number(to) })),
    STRETCHES_MAX,
  );
  const twins: number[] = [];
  for (const { from, to } of stretches) {
    const rows = await session.rows(
      `SELECT i."journal.sequence" FROM events e JOIN incoming i
         ON e."event.created" = i."event.created" AND e."event.id" = i."event.id"
         AND e."service.name" = i."service.name"
       WHERE e."event.created" BETWEEN $1 AND $2 AND i."event.created" BETWEEN $1 AND $2
         AND i."journal.sequence" >= ${first}`,
      [new Date(from), new Date(to)],
    );
    for (const [sequence] of rows) twins.push(Number(sequence));
  }
  return twins;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Joins neighbours over the smallest gaps until at most `max` stretches are left. */
export function merge(sorted: readonly Stretch[], max: number): readonly Stretch[] {
  const gaps = sorted.slice(1).map((stretch, index) => stretch.from - (sorted[index]?.to ?? 0));
  const widest = gaps
    .map((gap, index) => ({ gap, index }))
    .toSorted((a, b) => b.gap - a.gap)
    .slice(0, max - 1)
    .map(({ index }) => index + 1);
  const starts = [0, ...widest].toSorted((a, b) => a - b);
  return starts.flatMap((start, index) => {
    const from = sorted[start];
    const to = sorted[(starts[index + 1] ?? sorted.length) - 1];
    return from && to ? [{ from: from.from, to: to.to }] : [];
  });
}

/**
 * Without a client time an event is compared with what is kept of its own day and the day before,
 * and whether it is kept decides about the next: that is a loop, not a join. Few events are so.
 */
async function twinsWithoutTime(session: Session, first: number): Promise<number[]> {
  const incoming = await session.rows(
    `SELECT "journal.sequence", "service.name", "event.id", epoch_ms("event.ingested") // 86400000
     FROM incoming WHERE "event.id" IS NOT NULL AND "event.created" IS NULL
       AND "journal.sequence" >= ${first} ORDER BY 1`,
  );
  if (incoming.length === 0) return [];
  const days = incoming.map(([, , , day]) => Number(day));
  const stored = await session.rows(
    `SELECT DISTINCT e."service.name", e."event.id", epoch_ms(e."event.ingested") // 86400000
     FROM events e SEMI JOIN incoming i
       ON e."event.id" = i."event.id" AND e."service.name" = i."service.name"
       AND i."event.created" IS NULL
     WHERE e."event.created" IS NULL AND e."event.ingested" >= $1 AND e."event.ingested" < $2`,
    [new Date((Math.min(...days) - 1) * dayMs), new Date((Math.max(...days) + 1) * dayMs)],
  );
  const kept = new Set(stored.map(([app, id, day]) => key(app, id, Number(day))));
  return incoming.flatMap(([sequence, app, id, day]) => {
    const own = key(app, id, Number(day));
    if (kept.has(own) || kept.has(key(app, id, Number(day) - 1))) return [Number(sequence)];
    kept.add(own);
    return [];
  });
}

const dayMs = 86_400_000;

function key(app: unknown, id: unknown, day: number): string {
  return JSON.stringify([app, id, day]);
}

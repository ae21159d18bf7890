import { MARK, readPlaceName } from '../../place-name.ts';
import type { Session } from './session.ts';
import type { EventColumn } from './schema.ts';

/** The columns of `incoming`: what says whether two events are one. */
export const IDENTITY: readonly EventColumn[] = [
  'journal.sequence',
  'service.name',
  'event.id',
  'event.created',
  'event.ingested',
];

/** Deletes from `incoming` the events that were erased before, and gives their number. */
export async function dropErased(session: Session): Promise<number> {
  const graves = await session.rows('SELECT 1 FROM tombstones LIMIT 1');
  if (graves.length === 0) return 0;
  const [row] = await session.rows(
    `DELETE FROM incoming
     WHERE "event.id" IS NOT NULL AND (${buried(0)} OR ${buried(1)})`,
  );
  return Number(row?.[0] ?? 0);
}

function buried(daysBefore: number): string {
  return `tombstone("service.name", "event.id", "event.created",
    CAST("event.ingested" AS DATE) - ${daysBefore}) IN (SELECT tombstone FROM tombstones)`;
}

/**
 * Deletes from `incoming` the events whose twin comes earlier in the batch or is stored already,
 * and gives their number. A twin has the same app, id and client time; without client time the
 * same app and id, received on the same day or the day before. One that is named by its first
 * place is also the twin of what is stored from there.
 */
export async function dropTwins(session: Session): Promise<number> {
  const { identified, distinct, withoutTime, marked, from, to } = await survey(session);
  const twins = new Set<number>();
  const found = (sequences: readonly number[]): void => sequences.forEach((one) => twins.add(one));
  if (distinct < identified) found(await twinsInBatch(session));
  if (identified > 0) {
    const stretches = to - from < stretchMs ? [{ from, to }] : await clusters(session);
    for (const stretch of stretches) found(await storedTwins(session, stretch));
  }
  if (withoutTime > 0) found(await twinsWithoutTime(session));
  if (marked > 0) found(await twinsByPlace(session));
  if (twins.size > 0) {
    await session.run(
      `DELETE FROM incoming
       WHERE "journal.sequence" IN (SELECT unnest(from_json($1, '["BIGINT"]')))`,
      [JSON.stringify([...twins])],
    );
  }
  return twins.size;
}

/** Most batches hold no twins among themselves and one stretch of time: one look tells. */
async function survey(session: Session): Promise<{
  readonly identified: number;
  readonly distinct: number;
  readonly withoutTime: number;
  /** How many ids may be names of places. */
  readonly marked: number;
  readonly from: number;
  readonly to: number;
}> {
  const rows = await session.rows(
    `SELECT count("event.created"),
       count(DISTINCT ("service.name", "event.id", "event.created"))
         FILTER (WHERE "event.created" IS NOT NULL),
       count(*) - count("event.created"),
       count(*) FILTER (WHERE "event.id" LIKE '${MARK}%'),
       epoch_ms(min("event.created")), epoch_ms(max("event.created"))
     FROM incoming WHERE "event.id" IS NOT NULL`,
  );
  const [identified = 0, distinct = 0, withoutTime = 0, marked = 0, from = 0, to = 0] =
    rows[0]?.map(Number) ?? [];
  return { identified, distinct, withoutTime, marked, from, to };
}

async function twinsInBatch(session: Session): Promise<readonly number[]> {
  const rows = await session.rows(
    `SELECT unnest(list_sort(list("journal.sequence"))[2:]) FROM incoming
     WHERE "event.id" IS NOT NULL AND "event.created" IS NOT NULL
     GROUP BY "service.name", "event.id", "event.created" HAVING count(*) > 1`,
  );
  return rows.map(([sequence]) => Number(sequence));
}

/** Epoch ms, both inclusive. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * A join with `events`, held to a stretch of client time: the engine then reads only the row
 * groups of that time, however large the table is.
 */
async function storedTwins(session: Session, { from, to }: Stretch): Promise<readonly number[]> {
  const rows = await session.rows(
    `SELECT i."journal.sequence" FROM events e JOIN incoming i
       ON e."event.created" = i."event.created" AND e."event.id" = i."event.id"
       AND e."service.name" = i."service.name"
     WHERE e."event.created" BETWEEN $1 AND $2`,
    [new Date(from), new Date(to)],
  );
  return rows.map(([sequence]) => Number(sequence));
}

/** A stretch up to this long is looked at as a whole. */
const stretchMs = 3_600_000;

/** At most so many stretches of time are looked at for one batch. */
const STRETCHES_MAX = 16;

/** The stretches of a batch whose times lie apart: one late event must not make all between read. */
async function clusters(session: Session): Promise<readonly Stretch[]> {
  const hours = await session.rows(
    `SELECT epoch_ms(min("event.created")), epoch_ms(max("event.created")) FROM incoming
     WHERE "event.id" IS NOT NULL AND "event.created" IS NOT NULL
     GROUP BY date_trunc('hour', "event.created") ORDER BY 1`,
  );
  return mergeStretches(
    hours.map(([from, to]) => ({ from: Number(from), to: Number(to) })),
    STRETCHES_MAX,
  );
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
    const first = sorted[start];
    const last = sorted[(starts[index + 1] ?? sorted.length) - 1];
    return first && last ? [{ from: first.from, to: last.to }] : [];
  });
}

const dayMs = 86_400_000;

/**
 * Without a client time an event is compared with what is kept of its own day and the day before,
 * and whether it is kept decides about the next: that is a loop, not a join. Few events are so.
 */
async function twinsWithoutTime(session: Session): Promise<readonly number[]> {
  const incoming = await session.rows(
    `SELECT "journal.sequence", "service.name", "event.id", epoch_ms("event.ingested") // ${dayMs}
     FROM incoming WHERE "event.id" IS NOT NULL AND "event.created" IS NULL ORDER BY 1`,
  );
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
  return incoming.flatMap(([sequence, app, id, day]) => {
    const own = key(app, id, Number(day));
    if (kept.has(own) || kept.has(key(app, id, Number(day) - 1))) return [Number(sequence)];
    kept.add(own);
    return [];
  });
}

/**
 * Events that are named by their first place, and stored from there without an id. They come from
 * an archive or a reject log, in the order of their sequences, so the join reads little. The
 * receipt is compared as well: a data folder from a back-up may have given a place anew.
 */
async function twinsByPlace(session: Session): Promise<readonly number[]> {
  const marked = await session.rows(
    `SELECT "journal.sequence", "event.id" FROM incoming WHERE "event.id" LIKE '${MARK}%'`,
  );
  const places = marked.flatMap(([own, id]) => {
    const place = readPlaceName(String(id));
    return place === undefined ? [] : [{ own: Number(own), ...place }];
  });
  if (places.length === 0) return [];
  const sequences = places.map(({ sequence }) => sequence);
  const rows = await session.rows(
    `SELECT i."journal.sequence" FROM events e
     JOIN (SELECT unnest(from_json($1, '[{"own":"BIGINT","collector":"VARCHAR","sequence":"BIGINT"}]')) AS place)
       ON e."journal.collector" = place.collector AND e."journal.sequence" = place.sequence
     JOIN incoming i
       ON i."journal.sequence" = place.own AND i."event.ingested" = e."event.ingested"
     WHERE e."event.id" IS NULL AND e."journal.sequence" BETWEEN $2 AND $3`,
    [
      JSON.stringify(places),
      sequences.reduce((a, b) => Math.min(a, b)),
      sequences.reduce((a, b) => Math.max(a, b)),
    ],
  );
  return rows.map(([sequence]) => Number(sequence));
}

function key(app: unknown, id: unknown, day: number): string {
  return JSON.stringify([app, id, day]);
}

import type { Range } from '../../query/query.ts';
import type { Counted } from './rollup-plan.ts';
import { BEGINNING_MS } from './rollup-tables.ts';
import type { Session } from './session.ts';

/** Events that are counted in one transaction, unless one batch or day has more. */
export const PIECE_EVENTS = 500_000;
/** 10000-01-01. */
const ENDING_MS = 253_402_300_800_000;

/** What is still to be counted of a rollup. */
export interface Waiting {
  /** Events that have arrived since. */
  readonly events: number;
  /** Numbers of batches up to the last. */
  readonly batches: number;
  /** Events that were counted, and are to be once more. */
  readonly again: number;
}

export async function waitingFor(session: Session, { upTo, again }: Counted): Promise<Waiting> {
  const [[events = 0, last = 0] = []] = await session.rows(
    'SELECT count(*), coalesce(max(batch), $1) FROM events WHERE batch > $1',
    [upTo],
  );
  const [[counted = 0] = []] = Number.isFinite(again)
    ? await session.rows('SELECT count(*) FROM events WHERE batch <= $1 AND "@timestamp" >= $2', [
        upTo,
        new Date(again),
      ])
    : [];
  return { events: Number(events), batches: Number(last) - upTo, again: Number(counted) };
}

/** The last batch of the piece after one: of those within a window, as many as are not too many. */
export async function endOfPiece(
  session: Session,
  after: number,
  window: number,
): Promise<number | undefined> {
  const [[first = null] = []] = await session.rows(
    'SELECT min(batch) FROM events WHERE batch > $1',
    [after],
  );
  if (first === null) return undefined;
  const batches = await session.rows(
    `SELECT batch, count(*) FROM events WHERE batch >= $1 AND batch < $1 + $2
     GROUP BY batch ORDER BY batch`,
    [Number(first), window],
  );
  let upTo = Number(first);
  let events = 0;
  for (const [batch, count] of batches) {
    events += Number(count);
    if (events > PIECE_EVENTS) break;
    upTo = Number(batch);
  }
  return upTo;
}

/**
 * The days of the piece that begins with one, by the events of batches up to one, and the day that
 * the next begins with: Infinity after the last. Days without an event come with one before them.
 */
export async function daysOfPiece(
  session: Session,
  upTo: number,
  day: number,
): Promise<{ readonly range: Range; readonly next: number }> {
  const from = Math.max(day, BEGINNING_MS);
  const days = await session.rows(
    `SELECT epoch_ms(CAST("@timestamp" AS DATE)) AS day, count(*) FROM events
     WHERE batch <= $1 AND "@timestamp" >= $2 GROUP BY day ORDER BY day`,
    [upTo, new Date(from)],
  );
  let events = 0;
  for (const [start, count] of days) {
    const next = Number(start);
    if (events > 0 && events + Number(count) > PIECE_EVENTS) {
      return { range: { from, to: next }, next };
    }
    events += Number(count);
  }
  return { range: { from, to: ENDING_MS }, next: Number.POSITIVE_INFINITY };
}

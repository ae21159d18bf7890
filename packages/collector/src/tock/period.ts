import { MetronomeError } from '../errors.ts';
import { firstKept } from '../first-kept.ts';
import type { Range } from '../query/query.ts';
import { offsetSpans } from '../query/time-zone.ts';
import type { Request } from './request.ts';

/** Days before the last one, when the request gives no beginning. */
const daysBefore = 29;

/**
 * The period of a request as epoch ms: whole days of the zone, from `from` to `to` inclusive. Neither
 * given: today and the 29 days before; `from` alone ends today; `to` alone starts 29 days earlier.
 *
 * Throws `bad-request` for a day before those that are kept; a beginning that the request does not
 * give is the first of them at the earliest.
 */
export function period(
  { from, to, timeZone }: Pick<Request, 'from' | 'to' | 'timeZone'>,
  now: number,
  kept: Kept = { eventsDays: 0 },
): Range {
  const today = Temporal.Instant.fromEpochMilliseconds(now)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate();
  const last = to === undefined ? today : Temporal.PlainDate.from(to);
  const first =
    from === undefined ? last.subtract({ days: daysBefore }) : Temporal.PlainDate.from(from);
  if (Temporal.PlainDate.compare(first, last) > 0) {
    throw new MetronomeError(
      'bad-request',
      to === undefined
        ? `from is ${first.toString()}, after today, ${last.toString()}: give an earlier from, or a to`
        : `from is ${first.toString()}, after to, ${last.toString()}: swap them`,
    );
  }
  const range = {
    from: first.toZonedDateTime(timeZone).epochMilliseconds,
    to: last.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
  };
  return withinKept(range, from === undefined ? last : first, { timeZone, now, kept });
}

/** Whole UTC days before today; 0: for ever. */
interface Kept {
  readonly eventsDays: number;
  /** Counts of UTC days, where the answer is made of such and they are kept longer. */
  readonly countsDays?: number;
}

interface Circumstances {
  readonly timeZone: string;
  readonly now: number;
  readonly kept: Kept;
}

function withinKept(
  range: Range,
  asked: Temporal.PlainDate,
  { timeZone, now, kept: { eventsDays, countsDays } }: Circumstances,
): Range {
  const areCountsAsked = countsDays !== undefined && hasUtcDays(range, timeZone);
  const days = areCountsAsked ? countsDays : eventsDays;
  if (days === 0) return range;
  const kept = firstKept(now, days);
  if (asked.toZonedDateTime(timeZone).epochMilliseconds < kept) {
    const day = firstWholeDay(kept, timeZone);
    const what = areCountsAsked ? 'counts' : 'events';
    const longer =
      countsDays === undefined || areCountsAsked
        ? ''
        : '; counts of whole UTC days are kept longer: ask with tz=UTC';
    const message = `${asked.toString()} is beyond the retention: ${what} are kept for ${days} days, the first that is whole is ${day.toString()}${longer}`;
    throw new MetronomeError('bad-request', message);
  }
  return { from: Math.max(range.from, kept), to: range.to };
}

function hasUtcDays({ from, to }: Range, timeZone: string): boolean {
  return offsetSpans(from, to, timeZone).every(({ offsetMs }) => offsetMs === 0);
}

function firstWholeDay(kept: number, timeZone: string): Temporal.PlainDate {
  const at = Temporal.Instant.fromEpochMilliseconds(kept).toZonedDateTimeISO(timeZone);
  const isWhole = at.startOfDay().epochMilliseconds === kept;
  return at.toPlainDate().add({ days: isWhole ? 0 : 1 });
}

import { MetronomeError } from '../errors.ts';
import type { Range } from '../query/query.ts';
import { offsetSpans } from '../query/time-zone.ts';
import type { Request } from './request.ts';

/** Days before the last one, when the request gives no beginning. */
const daysBefore = 29;

/** Whole days of a zone as epoch ms. */
export interface Period extends Range {
  readonly timeZone: string;
  /** The day that the request names: where it begins, or where that is left to us, where it ends. */
  readonly asked: Temporal.PlainDate;
}

/**
 * The period of a request: from `from` to `to` inclusive. Neither given: today and the 29 days
 * before; `from` alone ends today; `to` alone starts 29 days earlier. Throws `bad-request` where it
 * runs backwards.
 */
export function period(
  { from, to, timeZone }: Pick<Request, 'from' | 'to' | 'timeZone'>,
  now: number,
): Period {
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
  return {
    from: first.toZonedDateTime(timeZone).epochMilliseconds,
    to: last.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
    timeZone,
    asked: from === undefined ? last : first,
  };
}

/** Epoch ms of the first UTC day that is there: of events, and of counts that answer the request. */
export interface Kept {
  readonly events: number;
  readonly counts: number;
}

/**
 * What is kept of a period. Counts make it up where it is of whole UTC days and they reach further
 * back. Throws `bad-request` where the day that was asked for is before; a beginning that was left
 * to us is the first day that is kept at the earliest.
 */
export function keptOf({ from, to, timeZone, asked }: Period, { events, counts }: Kept): Range {
  const areLonger = counts < events;
  const areCounts = areLonger && hasUtcDays({ from, to }, timeZone);
  const first = areCounts ? counts : events;
  if (asked.toZonedDateTime(timeZone).epochMilliseconds < first) {
    const what = areCounts ? 'counts' : 'events';
    const day = firstWholeDay(first, timeZone).toString();
    const longer =
      areLonger && !areCounts ? '; counts of whole UTC days are kept longer: ask with tz=UTC' : '';
    const message = `${asked.toString()} is beyond the retention: the first whole day whose ${what} are kept is ${day}${longer}`;
    throw new MetronomeError('bad-request', message);
  }
  return { from: Math.max(from, first), to };
}

function hasUtcDays({ from, to }: Range, timeZone: string): boolean {
  return offsetSpans(from, to, timeZone).every(({ offsetMs }) => offsetMs === 0);
}

function firstWholeDay(kept: number, timeZone: string): Temporal.PlainDate {
  const at = Temporal.Instant.fromEpochMilliseconds(kept).toZonedDateTimeISO(timeZone);
  const isWhole = at.startOfDay().epochMilliseconds === kept;
  return at.toPlainDate().add({ days: isWhole ? 0 : 1 });
}

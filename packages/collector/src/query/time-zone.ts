import type { Interval, Range } from './query.ts';

/**
 * The name as ICU spells it (`europe/berlin` is `Europe/Berlin`), which every engine reads, or
 * undefined for a name that it does not know. Fixed offsets such as `+05:30` are zones too.
 */
export function canonicalTimeZone(name: string): string | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return undefined;
  }
}

/** Temporal alone would also read a zone out of a whole date such as 2026-01-01[Asia/Tokyo]. */
const NAME = /^(?:[a-z][a-z0-9_+/-]*|[+-]\d\d:\d\d)$/i;

/** Start of the calendar bucket that holds `epochMs`, as epoch ms. Days begin at their first instant. */
export function bucketStart(epochMs: number, interval: Interval, timeZone: string): number {
  const at = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone);
  return floor(at, interval).epochMilliseconds;
}

function floor(at: Temporal.ZonedDateTime, interval: Interval): Temporal.ZonedDateTime {
  switch (interval) {
    case 'minute':
    case 'hour':
      return at.round({ smallestUnit: interval, roundingMode: 'floor' });
    case 'day':
      return at.startOfDay();
    case 'week':
      return at.subtract({ days: at.dayOfWeek - 1 }).startOfDay();
    case 'month':
      return at.with({ day: 1 }).startOfDay();
  }
}

/** Later changes are rules that nobody has promised; a range without an end must end somewhere. */
const OFFSETS_UNTIL = Date.UTC(2100, 0, 1);

/** A stretch of time over which a zone keeps one offset from UTC. */
export interface OffsetSpan {
  /** Epoch ms, exclusive; infinite for the last. */
  readonly until: number;
  readonly offsetMs: number;
}

/** The offsets of a zone from `from` to `to` (epoch ms), in order of time. */
export function offsetSpans(from: number, to: number, timeZone: string): readonly OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  const end = Math.min(to, OFFSETS_UNTIL);
  let at = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone);
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    const offsetMs = at.offsetNanoseconds / 1e6;
    if (next === null || next.epochMilliseconds >= end) {
      return [...spans, { until: Number.POSITIVE_INFINITY, offsetMs }];
    }
    spans.push({ until: next.epochMilliseconds, offsetMs });
    at = next;
  }
}

/** Longer than any hour that repeats a part of itself. */
export const ODD_HOUR_MS_MAX = 7_200_000;

/**
 * The hours that meet a range (epoch ms) in which a zone shifts by a part of an hour, as that of
 * Lord Howe Island does: such an hour begins with the shift if that skips its beginning, and is
 * longer if that repeats its end.
 */
export function oddHours({ from, to }: Range, timeZone: string): readonly Range[] {
  const spans = offsetSpans(from - ODD_HOUR_MS_MAX, to + ODD_HOUR_MS_MAX, timeZone);
  return spans.flatMap(({ until }, index) => {
    const next = spans[index + 1];
    const intoHourMs = next === undefined ? 0 : (until + next.offsetMs) % HOUR_MS;
    if (intoHourMs === 0) return [];
    return [{ from: bucketStart(until, 'hour', timeZone), to: until + HOUR_MS - intoHourMs }];
  });
}

const HOUR_MS = 3_600_000;

/** First instant of a local day, given as if its midnight were in UTC; both epoch ms. */
export function startOfLocalDay(localMs: number, timeZone: string): number {
  const date = Temporal.Instant.fromEpochMilliseconds(localMs).toZonedDateTimeISO('UTC');
  return date.toPlainDate().toZonedDateTime(timeZone).epochMilliseconds;
}

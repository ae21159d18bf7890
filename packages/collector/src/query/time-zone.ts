import type { Interval } from './query.ts';

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

/** Whether the clocks shift by a part of an hour when this span ends, as on Lord Howe Island. */
export function shiftsWithinHour(spans: readonly OffsetSpan[], index: number): boolean {
  const [span, next] = spans.slice(index, index + 2);
  return span !== undefined && next !== undefined && (span.until + next.offsetMs) % HOUR_MS !== 0;
}

const HOUR_MS = 3_600_000;

/** First instant of a local day, given as if its midnight were in UTC; both epoch ms. */
export function startOfLocalDay(localMs: number, timeZone: string): number {
  const date = Temporal.Instant.fromEpochMilliseconds(localMs).toZonedDateTimeISO('UTC');
  return date.toPlainDate().toZonedDateTime(timeZone).epochMilliseconds;
}

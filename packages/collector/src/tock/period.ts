import { MetronomeError } from '../errors.ts';
import type { Range } from '../query/query.ts';
import type { Request } from './request.ts';

/** Days before the last one, when the request gives no beginning. */
const daysBefore = 29;

/**
 * The period of a request as epoch ms: whole days of the zone, from `from` to `to` inclusive. Neither
 * given: today and the 29 days before; `from` alone ends today; `to` alone starts 29 days earlier.
 */
export function period(
  { from, to, timeZone }: Pick<Request, 'from' | 'to' | 'timeZone'>,
  now: number,
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
  return {
    from: first.toZonedDateTime(timeZone).epochMilliseconds,
    to: last.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
  };
}

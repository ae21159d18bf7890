import { orderRows } from '../../query/order-rows.ts';
import { type Query, QUERY_LIMITS, type Range, type Row } from '../../query/query.ts';
import { bucketStart, offsetSpans, shiftsWithinHour } from '../../query/time-zone.ts';

const HOUR_MS = 3_600_000;
/** Longer than any hour that repeats a part of itself. */
export const ODD_HOUR_MS_MAX = 2 * HOUR_MS;

/**
 * Asks a query, which is checked. Where a zone shifts by a part of an hour, as that of Lord Howe
 * Island does, Elasticsearch begins the hour of the shift otherwise than the clocks do: a query by
 * hours is asked in parts there, each such hour by itself (see `oddHourOf`).
 */
export async function askAroundOddHours(
  query: Query,
  ask: (part: Query) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const ranges = rangesOf(query);
  if (ranges.length === 1) return ask(query);
  const rows = await Promise.all(ranges.map((range) => ask({ ...query, range })));
  return orderRows(rows.flat(), query).slice(0, query.limit ?? QUERY_LIMITS.rowsMax);
}

/** Start of the hour, as epoch ms, if the range lies in one in which the zone shifts. */
export function oddHourOf(range: Range, timeZone: string): number | undefined {
  if (range.to - range.from > ODD_HOUR_MS_MAX) return undefined;
  const around = { from: range.from - ODD_HOUR_MS_MAX, to: range.to + ODD_HOUR_MS_MAX };
  const hour = oddHours(around, timeZone).find(
    ({ from, to }) => from < range.to && range.from < to,
  );
  return hour !== undefined && hour.from <= range.from && range.to <= hour.to
    ? hour.from
    : undefined;
}

function rangesOf({ dimensions = {}, range, timeZone = 'UTC' }: Query): readonly Range[] {
  const byHour = Object.values(dimensions).some(
    (dimension) => dimension.kind === 'time' && dimension.interval === 'hour',
  );
  if (!byHour) return [range];
  const around = { from: range.from - ODD_HOUR_MS_MAX, to: range.to + ODD_HOUR_MS_MAX };
  const inside = oddHours(around, timeZone)
    .flatMap(({ from, to }) => [from, to])
    .filter((cut) => cut > range.from && cut < range.to);
  const starts = [range.from, ...inside];
  return starts.map((from, index) => ({ from, to: starts[index + 1] ?? range.to }));
}

function oddHours({ from, to }: Range, timeZone: string): readonly Range[] {
  const spans = offsetSpans(from, to, timeZone);
  return spans.flatMap(({ until }, index) => {
    if (!shiftsWithinHour(spans, index)) return [];
    const local = until + (spans[index + 1]?.offsetMs ?? 0);
    return [
      { from: bucketStart(until, 'hour', timeZone), to: until + HOUR_MS - (local % HOUR_MS) },
    ];
  });
}

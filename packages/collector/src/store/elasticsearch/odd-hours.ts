import { orderRows } from '../../query/order-rows.ts';
import { type Query, QUERY_LIMITS, type Range, type Row } from '../../query/query.ts';
import { ODD_HOUR_MS_MAX, oddHours } from '../../query/time-zone.ts';

/**
 * Asks a query, which is checked. Where a zone has odd hours, Elasticsearch begins them otherwise
 * than the clocks do: a query by hours is asked in parts there, each such hour by itself.
 */
export async function askAroundOddHours(
  query: Query,
  ask: (part: Query) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const parts = partsAroundOddHours(query);
  if (parts.length === 1) return ask(query);
  const rows = await Promise.all(parts.map(ask));
  return orderRows(rows.flat(), query).slice(0, query.limit ?? QUERY_LIMITS.rowsMax);
}

/** The parts that a query is asked in: most are asked whole. */
export function partsAroundOddHours(query: Query): readonly Query[] {
  const ranges = rangesOf(query);
  return ranges.length === 1 ? [query] : ranges.map((range) => ({ ...query, range }));
}

/** Start of the odd hour, as epoch ms, that the whole range lies in. */
export function oddHourOf(range: Range, timeZone: string): number | undefined {
  if (range.to - range.from > ODD_HOUR_MS_MAX) return undefined;
  const hours = oddHours(range, timeZone);
  return hours.find(({ from, to }) => from <= range.from && range.to <= to)?.from;
}

function rangesOf({ dimensions = {}, range, timeZone = 'UTC' }: Query): readonly Range[] {
  const byHour = Object.values(dimensions).some(
    (dimension) => dimension.kind === 'time' && dimension.interval === 'hour',
  );
  if (!byHour) return [range];
  const cuts = oddHours(range, timeZone)
    .flatMap(({ from, to }) => [from, to])
    .filter((cut) => cut > range.from && cut < range.to);
  const starts = [range.from, ...cuts];
  return starts.map((from, index) => ({ from, to: starts[index + 1] ?? range.to }));
}

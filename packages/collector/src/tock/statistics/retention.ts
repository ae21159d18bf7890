import { MetronomeError } from '../../errors.ts';
import type { DeclaredRetention } from '../../query/declared.ts';
import type { Filter, Interval, Range, Row } from '../../query/query.ts';
import { bucketStart } from '../../query/time-zone.ts';
import type { Answer } from '../answer.ts';
import { allOf, USES } from '../filters.ts';
import { type Part, queryOf, wholeRows } from '../from-queries.ts';
import { ofPeriod } from '../parameters.ts';
import { bucketName } from '../rows.ts';
import type { Asked, Reader, Statistic } from '../statistic.ts';

/** The answer has a number for each two intervals. */
export const INTERVALS_MAX = 400;

const isDaily: Filter = { kind: 'equals', field: 'visitor_daily', value: true };

/**
 * Who came again: for each interval of the period, newest first, the `visitors` who came for the
 * first time in the period then, and in `returned` how many of them came again in the next
 * interval, the one after that, and so on until the period ends.
 *
 * It takes visitors whom the application names: the others are known for one day only. Where a
 * period has no other, the request is refused and told so.
 */
export function retention({ filter = USES, interval = 'day' }: Omit<DeclaredRetention, 'kind'>) {
  const visits: Part = {
    measures: { n: { kind: 'count' } },
    dimensions: {
      start: { kind: 'time', interval },
      visitor: { kind: 'field', field: 'visitor' },
    },
    filter: allOf(filter, { kind: 'not', filter: isDaily }),
  };
  return {
    parameters: [...ofPeriod, 'interval'],
    async answer(store, asked) {
      const by = asked.interval ?? interval;
      const starts = startsOf(asked.range, by, asked.timeZone);
      const rows = await wholeRows(store, queryOf(visits, asked));
      if (rows.length === 0) await refuseDaily(store, asked, filter);
      return cohorts(rows, starts)
        .map(({ start, visitors, returned }) => ({
          start: bucketName(start, by, asked.timeZone),
          visitors,
          returned,
        }))
        .toReversed() satisfies Answer;
    },
  } satisfies Statistic;
}

/** The starts of all intervals that the range touches. */
function startsOf({ from, to }: Range, interval: Interval, timeZone: string): readonly number[] {
  const starts: number[] = [];
  // A calendar interval is shorter than 32 days; the step after that is floored again.
  for (let at = bucketStart(from, interval, timeZone); at < to;) {
    if (starts.push(at) > INTERVALS_MAX) {
      const message = `the answer would have more than ${INTERVALS_MAX} intervals, which is the limit: ask for a longer interval or a shorter period`;
      throw new MetronomeError('bad-request', message);
    }
    at = nextStart(at, interval, timeZone);
  }
  return starts;
}

function nextStart(start: number, interval: Interval, timeZone: string): number {
  const at = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(timeZone);
  const next = at.add({ [`${interval}s`]: 1 });
  return bucketStart(next.epochMilliseconds, interval, timeZone);
}

interface Cohort {
  readonly start: number;
  visitors: number;
  readonly returned: number[];
}

function cohorts(rows: readonly Row[], starts: readonly number[]): readonly Cohort[] {
  const place = new Map(starts.map((start, index) => [start, index]));
  const all = starts.map((start, index): Cohort => {
    const later = starts.length - 1 - index;
    return { start, visitors: 0, returned: Array.from({ length: later }, () => 0) };
  });
  const first = new Map<Row[string], number>();
  const inOrder = rows.toSorted((a, b) => Number(a['start']) - Number(b['start']));
  for (const { visitor = null, start } of inOrder) {
    const at = place.get(Number(start)) ?? 0;
    const came = first.get(visitor);
    const cohort = all[came ?? at];
    if (cohort === undefined) continue;
    if (came === undefined) {
      first.set(visitor, at);
      cohort.visitors++;
    } else {
      cohort.returned[at - came - 1] = (cohort.returned[at - came - 1] ?? 0) + 1;
    }
  }
  return all.filter(({ visitors }) => visitors > 0);
}

async function refuseDaily(store: Reader, { filter, range }: Asked, came: Filter): Promise<void> {
  const [row] = await store.query({
    measures: { n: { kind: 'count' } },
    filter: allOf(came, isDaily, filter),
    range,
  });
  if (row?.['n'] === 0) return;
  const message =
    'Who comes again can only be told of visitors whom the application names (`visitor`): those of this period are known by a hash that lasts one day.';
  throw new MetronomeError('bad-request', message);
}

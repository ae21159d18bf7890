import { z } from 'zod';
import { MetronomeError } from '../../errors.ts';
import type { DeclaredRetention } from '../../query/declared.ts';
import {
  type Filter,
  type Interval,
  type Query,
  QUERY_LIMITS,
  type Range,
  type Row,
} from '../../query/query.ts';
import { bucketStart } from '../../query/time-zone.ts';
import { allOf, USES } from '../filters.ts';
import { wholeRows } from '../from-queries.ts';
import { ofPeriod } from '../parameters.ts';
import { bucketName } from '../rows.ts';
import { countSchema } from '../schemas.ts';
import type { Asked, Reader, Statistic } from '../statistic.ts';

/** The answer has a number for each two intervals. */
export const INTERVALS_MAX = 400;

const isDaily: Filter = { kind: 'equals', field: 'visitor_daily', value: true };

const schema = z.array(
  z.object({
    start: z.string(),
    visitors: countSchema,
    returned: z.array(countSchema).describe('In the next interval, the one after that, and so on.'),
  }),
);

/**
 * Who came again: for each interval of the period, newest first, the `visitors` who came for the
 * first time in the period then, and in `returned` how many of them came again in the next
 * interval, the one after that, and so on until the period ends.
 *
 * It takes visitors whom the application names: the others are known for one day only. Where a
 * period has no other, the request is refused and told so.
 */
export function retention({
  filter = USES,
  interval = 'day',
  meaning = 'Of the visitors who came first in an interval, how many came again in later ones.',
}: Omit<DeclaredRetention, 'kind'>): Statistic {
  const came = allOf(filter, { kind: 'not', filter: isDaily });
  return {
    meaning,
    parameters: [...ofPeriod, 'interval'],
    schema,
    columns: ['start', 'visitors', 'returned'],
    async answer(store, asked) {
      const by = asked.interval ?? interval;
      const intervals = intervalsOf(asked.range, by, asked.timeZone);
      const cohorts = intervals.map((_, at) => noCohort(intervals.length - at));
      const first = new Map<Row[string], number>();
      for (const [at, range] of intervals.entries()) {
        for (const visitor of await visitorsOf(store, allOf(came, asked.filter), range)) {
          const began = first.get(visitor) ?? at;
          first.set(visitor, began);
          count(cohorts[began], at - began);
        }
      }
      if (first.size === 0) await refuseDaily(store, asked, filter);
      return intervals
        .map(({ from }, at) => {
          const [visitors = 0, ...returned] = cohorts[at] ?? [];
          const start = bucketStart(from, by, asked.timeZone);
          return { start: bucketName(start, by, asked.timeZone), visitors, returned };
        })
        .filter(({ visitors }) => visitors > 0)
        .toReversed();
    },
  };
}

/** How many of those who came first in an interval came in it and in each one after it. */
type Cohort = number[];

function noCohort(intervals: number): Cohort {
  return Array.from({ length: intervals }, () => 0);
}

function count(cohort: Cohort | undefined, at: number): void {
  if (cohort) cohort[at] = (cohort[at] ?? 0) + 1;
}

/** The intervals that the range touches, cut to it. */
function intervalsOf({ from, to }: Range, interval: Interval, timeZone: string): readonly Range[] {
  const intervals: Range[] = [];
  for (let at = from; at < to;) {
    const next = Math.min(to, nextStart(at, interval, timeZone));
    if (intervals.push({ from: at, to: next }) > INTERVALS_MAX) {
      const message = `the answer would have more than ${INTERVALS_MAX} intervals, which is the limit: ask for a longer interval or a shorter period`;
      throw new MetronomeError('bad-request', message);
    }
    at = next;
  }
  return intervals;
}

function nextStart(epochMs: number, interval: Interval, timeZone: string): number {
  const at = bucketStart(epochMs, interval, timeZone);
  const start = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  const next = start.add({ [`${interval}s`]: 1 });
  return bucketStart(next.epochMilliseconds, interval, timeZone);
}

const TOO_MANY_VISITORS = `an interval has ${QUERY_LIMITS.rowsMax} visitors or more, which is the limit: ask for a shorter interval, or for an item`;

async function visitorsOf(
  store: Reader,
  filter: Filter,
  range: Range,
): Promise<readonly Row[string][]> {
  const query: Query = {
    measures: { n: { kind: 'count' } },
    dimensions: { visitor: { kind: 'field', field: 'visitor' } },
    order: [{ by: 'visitor', direction: 'ascending' }],
    filter,
    range,
  };
  const rows = await wholeRows(store, query, TOO_MANY_VISITORS);
  return rows.map(({ visitor = null }) => visitor);
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

import { z } from 'zod';
import type { Filter, Measure, Row } from '../../query/query.ts';
import type { Answer } from '../answer.ts';
import { allOf } from '../filters.ts';
import { queryOf } from '../from-queries.ts';
import type { Part } from '../part.ts';
import { ofPeriod } from '../parameters.ts';
import { countSchema } from '../schemas.ts';
import type { Statistic } from '../statistic.ts';

/**
 * The most that is good, and the most that is not poor yet, as web-vitals has them
 * (https://web.dev/articles/vitals#core-web-vitals); milliseconds, CLS without unit.
 */
export const THRESHOLDS = {
  LCP: [2500, 4000],
  INP: [200, 500],
  CLS: [0.1, 0.25],
  FCP: [1800, 3000],
  TTFB: [800, 1800],
} as const satisfies Record<string, readonly [number, number]>;

const metrics = Object.keys(THRESHOLDS);

/** Events whose value is at most the threshold of their metric; `at` 0: good, 1: not poor. */
function within(at: 0 | 1): Filter {
  return {
    kind: 'or',
    filters: Object.entries(THRESHOLDS).map(([name, thresholds]) =>
      allOf({ kind: 'equals', field: 'name', value: name }, atMost(thresholds[at])),
    ),
  };
}

function atMost(value: number): Filter {
  return {
    kind: 'or',
    filters: [
      { kind: 'range', field: 'value', lt: value },
      { kind: 'equals', field: 'value', value },
    ],
  };
}

const counted = (where: Filter): Measure => ({ kind: 'count', where });

const part: Part = {
  measures: {
    count: { kind: 'count' },
    p75: { kind: 'percentile', field: 'value', at: 75 },
    good: counted(within(0)),
    poor: counted({ kind: 'not', filter: within(1) }),
  },
  dimensions: { name: { kind: 'field', field: 'name' } },
  filter: allOf(
    { kind: 'equals', field: 'event', value: 'vital' },
    { kind: 'in', field: 'name', values: metrics },
    { kind: 'range', field: 'value', gte: 0 },
  ),
};

const share = z.number().min(0).max(1);

const metric = z.object({
  count: countSchema,
  p75: z.number(),
  good: countSchema,
  needsImprovement: countSchema,
  poor: countSchema,
  shares: z.object({ good: share, needsImprovement: share, poor: share }),
});

const schema = z
  .object({ LCP: metric, INP: metric, CLS: metric, FCP: metric, TTFB: metric } satisfies Record<
    keyof typeof THRESHOLDS,
    z.ZodType
  >)
  .partial();

/**
 * Web vitals by metric (`LCP`, `INP`, `CLS`, `FCP`, `TTFB`; those that were measured): `count` of
 * page views, `p75`, how many were `good`, `needsImprovement` and `poor` by web-vitals'
 * thresholds, and their `shares`. The SDK reports each metric of a page view once, so every
 * event counts.
 */
export const vitals: Statistic = {
  meaning: 'Web vitals by metric: p75, and how many were good, in need of improvement and poor.',
  parameters: ofPeriod,
  schema,
  async answer(store, asked) {
    const rows = await store.query(queryOf(part, { ...asked, limit: metrics.length }));
    const found = new Map(rows.map((row) => [row['name'], row]));
    return Object.fromEntries(
      metrics.flatMap((name) => {
        const row = found.get(name);
        return row === undefined ? [] : [[name, metricOf(row)]];
      }),
    );
  },
};

function metricOf(row: Row): Answer {
  const [count, good, poor] = [Number(row['count']), Number(row['good']), Number(row['poor'])];
  const ratings = { good, needsImprovement: count - good - poor, poor };
  const shares = Object.entries(ratings).map(([rating, n]) => [rating, n / count] as const);
  return { count, p75: row['p75'] ?? null, ...ratings, shares: Object.fromEntries(shares) };
}

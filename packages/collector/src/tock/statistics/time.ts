import { z } from 'zod';
import type { Answer } from '../answer.ts';
import { allOf, ENGAGED } from '../filters.ts';
import { queryOf } from '../from-queries.ts';
import type { Part } from '../part.ts';
import { ofPeriod } from '../parameters.ts';
import { percentile } from '../percentile.ts';
import { countSchema } from '../schemas.ts';
import type { Asked, Reader, Statistic } from '../statistic.ts';

/** Page views whose engaged time is read; of more, those with the lowest ids, which are random. */
export const PAGE_VIEWS_MAX = 20_000;

/** Engaged time by page view: its events each bring what came since the one before. */
const pageViews: Part = {
  measures: { ms: { kind: 'sum', field: 'duration' } },
  dimensions: { page: { kind: 'field', field: 'page' } },
  filter: ENGAGED,
  order: [{ by: 'page', direction: 'ascending' }],
  // One more tells that there are more.
  limit: PAGE_VIEWS_MAX + 1,
};

const allPageViews: Part = {
  measures: { n: { kind: 'distinct', field: 'page' } },
  filter: ENGAGED,
};

const largestPaints: Part = {
  measures: {
    views: { kind: 'count' },
    median: { kind: 'percentile', field: 'value', at: 50 },
    p75: { kind: 'percentile', field: 'value', at: 75 },
    p95: { kind: 'percentile', field: 'value', at: 95 },
  },
  filter: allOf(
    { kind: 'equals', field: 'event', value: 'vital' },
    { kind: 'equals', field: 'name', value: 'LCP' },
    { kind: 'range', field: 'value', gte: 0 },
  ),
};

const milliseconds = z.number().nullable();
const spread = { views: countSchema, median: milliseconds, p75: milliseconds, p95: milliseconds };

const schema = z.object({
  engagedMs: z.object({
    ...spread,
    sample: z.object({ views: countSchema, of: countSchema }).optional(),
  }),
  loadMs: z.object(spread),
});

/**
 * Time in milliseconds, each with its `median`, `p75` and `p95` and the number of page `views` that
 * it was measured in. `engagedMs`: how long a page was visible and its visitor active, the
 * `duration` of a page view's `engagement` events together; of more than 20,000 page views a
 * `sample`. `loadMs`: until the largest part of the page was there (the vital `LCP`).
 */
export const time: Statistic = {
  meaning: 'Engaged time and load time in milliseconds: median, p75 and p95.',
  parameters: ofPeriod,
  schema,
  async answer(store, asked) {
    const [engagedMs, [load]] = await Promise.all([
      engagedTime(store, asked),
      store.query(queryOf(largestPaints, asked)),
    ]);
    return { engagedMs, loadMs: load ?? null };
  },
};

async function engagedTime(store: Reader, asked: Asked): Promise<Answer> {
  const rows = await store.query(queryOf(pageViews, { ...asked, limit: undefined }));
  const read = rows.slice(0, PAGE_VIEWS_MAX);
  const sorted = read.map((row) => Number(row['ms'])).toSorted((a, b) => a - b);
  const found = {
    views: sorted.length,
    median: percentile(sorted, 50),
    p75: percentile(sorted, 75),
    p95: percentile(sorted, 95),
  };
  if (rows.length <= PAGE_VIEWS_MAX) return found;
  const [all] = await store.query(queryOf(allPageViews, asked));
  return { ...found, sample: { views: sorted.length, of: all?.['n'] ?? null } };
}

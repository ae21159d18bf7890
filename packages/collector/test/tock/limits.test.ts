import { expect, it } from 'vitest';
import { QUERY_LIMITS, type Query, type Row } from '../../src/query/query.ts';
import { answerRequest } from '../../src/tock/answer-request.ts';
import { parseRequest } from '../../src/tock/request.ts';
import type { Statistic } from '../../src/tock/statistic.ts';
import { BUILT_IN } from '../../src/tock/statistics.ts';
import { PAGE_VIEWS_MAX } from '../../src/tock/statistics/time.ts';

/** What a statistic answers over a store with so many groups. */
async function ask(statistic: Statistic, groups: number, parameters: string): Promise<unknown> {
  const row = (): Row => ({ ms: 5, n: groups, visitor: 'v', views: 0 });
  const reader = {
    query: ({ dimensions, limit = QUERY_LIMITS.rowsMax }: Query) =>
      Promise.resolve(
        Array.from({ length: dimensions === undefined ? 1 : Math.min(groups, limit) }, row),
      ),
    scan: () => {
      throw new Error('nothing is scanned');
    },
    isCountedAhead: () => Promise.resolve(false),
    countsFrom: () => Promise.resolve(Number.POSITIVE_INFINITY),
  };
  const rules = { names: statistic.parameters, timeZone: 'UTC' };
  const request = parseRequest(undefined, new URLSearchParams(`app=a&${parameters}`), rules);
  const { answer } = await answerRequest(reader, statistic, request, Date.UTC(2026, 10, 23));
  return answer;
}

it('all page views are read, up to the most', async () => {
  const views = PAGE_VIEWS_MAX;
  expect(await ask(BUILT_IN.time, views, '')).toMatchObject({
    engagedMs: { views, median: 5, p75: 5, p95: 5 },
  });
  expect(await ask(BUILT_IN.time, views, '')).not.toHaveProperty('engagedMs.sample');
  expect(await ask(BUILT_IN.time, views + 1, '')).toMatchObject({
    engagedMs: { views, sample: { views, of: views + 1 } },
  });
});

it('retention of too many visitors says what helps', async () => {
  await expect(ask(BUILT_IN.retention, QUERY_LIMITS.rowsMax, 'from=2026-11-23')).rejects.toThrow(
    'an interval has 100000 visitors or more, which is the limit: ask for a shorter interval, or for an item',
  );
});

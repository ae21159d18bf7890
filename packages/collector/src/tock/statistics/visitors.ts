import type { Filter } from '../../query/query.ts';
import { USES } from '../filters.ts';
import { fromQueries } from '../from-queries.ts';
import type { Statistic } from '../statistic.ts';

const unknown: Filter = { kind: 'not', filter: { kind: 'exists', field: 'visitor' } };

/**
 * Visitors who viewed or downloaded: `visitors` by time, newest first, and `total` over the
 * period. A visitor whom the application names counts once in `total`; one who is known by the
 * daily hash lasts one day of UTC, so over several days those are the sum of the days. `daily`
 * says how many of `total` are such, `unknown` how many views and downloads have no visitor.
 */
export const visitors: Statistic = {
  meaning: 'Visitors who viewed or downloaded, by time and over the period.',
  ...fromQueries({
    period: {
      measures: {
        total: { kind: 'distinct', field: 'visitor' },
        daily: {
          kind: 'distinct',
          field: 'visitor',
          where: { kind: 'equals', field: 'visitor_daily', value: true },
        },
        unknown: { kind: 'count', where: unknown },
      },
      filter: USES,
    },
    visitors: {
      measures: { visitors: { kind: 'distinct', field: 'visitor' } },
      dimensions: { time: { kind: 'time', interval: 'day' } },
      filter: { kind: 'and', filters: [USES, { kind: 'exists', field: 'visitor' }] },
    },
  }),
};

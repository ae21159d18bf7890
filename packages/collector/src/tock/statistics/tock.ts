import { DOWNLOADS, VIEWS } from '../filters.ts';
import { fromQueries } from '../from-queries.ts';
import type { Statistic } from '../statistic.ts';

/**
 * The tock: `views` by time, newest first; `downloads` by format, `other` where it is not known;
 * `referers` of views, by `host` or `host/path`.
 */
export const tock: Statistic = {
  meaning: 'Views by time, downloads by format, referers of views.',
  ...fromQueries({
    views: {
      measures: { views: { kind: 'count' } },
      dimensions: { time: { kind: 'time', interval: 'day' } },
      filter: VIEWS,
    },
    downloads: {
      measures: { downloads: { kind: 'count' } },
      dimensions: { format: { kind: 'field', field: 'format', missing: 'other' } },
      filter: DOWNLOADS,
    },
    referers: {
      measures: { views: { kind: 'count' } },
      dimensions: { referer: { kind: 'field', field: 'referer' } },
      filter: VIEWS,
    },
  }),
};

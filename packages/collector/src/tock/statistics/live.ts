import { bucketStart } from '../../query/time-zone.ts';
import { USES, VIEWS } from '../filters.ts';
import { fromQueries } from '../from-queries.ts';
import type { Asked, Statistic } from '../statistic.ts';

const MINUTES = 30;
const MINUTE_MS = 60_000;

const parts = fromQueries({
  period: { measures: { visitors: { kind: 'distinct', field: 'visitor' } }, filter: USES },
  views: {
    measures: { views: { kind: 'count' } },
    dimensions: { time: { kind: 'time', interval: 'minute' } },
    filter: VIEWS,
  },
  items: {
    measures: { views: { kind: 'count' } },
    dimensions: { item: { kind: 'field', field: 'item' } },
    filter: VIEWS,
  },
  referers: {
    measures: { views: { kind: 'count' } },
    dimensions: { referer: { kind: 'field', field: 'referer' } },
    filter: VIEWS,
  },
});

/**
 * The last 30 minutes, this one and the 29 before: `visitors` who viewed or downloaded, `views`
 * by minute, newest first, and by `items` and `referers`, highest first.
 */
export const live: Statistic = {
  meaning: 'The last 30 minutes: views by minute, visitors, items and referers.',
  schema: parts.schema,
  parameters: ['tz', 'app', 'bots', 'limit'],
  answer: (store, asked) =>
    parts.answer(store, { ...asked, interval: undefined, range: lastMinutes(asked) }),
};

function lastMinutes({ now, timeZone }: Asked): Asked['range'] {
  const minute = bucketStart(now, 'minute', timeZone);
  return { from: minute - (MINUTES - 1) * MINUTE_MS, to: minute + MINUTE_MS };
}

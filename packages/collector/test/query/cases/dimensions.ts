import { all, count, type QueryCase } from './query-case.ts';

const views = { kind: 'equals', field: 'event', value: 'view' } as const;

export const dimensions: readonly QueryCase[] = [
  {
    name: 'by-item-highest-first-without-the-missing',
    query: {
      measures: { n: count },
      dimensions: { item: { kind: 'field', field: 'item' } },
      range: all,
    },
    rows: [
      { item: 'roads', n: 8 },
      { item: 'trees', n: 7 },
      { item: 'roads/rivers', n: 1 },
    ],
  },
  {
    name: 'missing-has-a-name',
    query: {
      measures: { n: count, visitors: { kind: 'distinct', field: 'visitor' } },
      dimensions: { referer: { kind: 'field', field: 'referer', missing: '(none)' } },
      filter: views,
      range: all,
    },
    rows: [
      { referer: '(none)', n: 4, visitors: 3 },
      { referer: 'arcgis.com', n: 2, visitors: 2 },
      { referer: 'washingtonpost.com/articles/dc-news', n: 1, visitors: 1 },
    ],
  },
  {
    name: 'ties-by-dimensions',
    query: {
      measures: { n: count },
      dimensions: {
        event: { kind: 'field', field: 'event' },
        item: { kind: 'field', field: 'item' },
      },
      range: all,
      limit: 4,
    },
    rows: [
      { event: 'view', item: 'trees', n: 4 },
      { event: 'vital', item: 'roads', n: 4 },
      { event: 'download', item: 'trees', n: 3 },
      { event: 'engagement', item: 'roads', n: 2 },
    ],
  },
  {
    name: 'order-by-a-dimension',
    query: {
      measures: { n: count },
      dimensions: { item: { kind: 'field', field: 'item' } },
      order: [{ by: 'item', direction: 'descending' }],
      range: all,
      limit: 2,
    },
    rows: [
      { item: 'trees', n: 7 },
      { item: 'roads/rivers', n: 1 },
    ],
  },
  {
    name: 'order-puts-nulls-last',
    query: {
      measures: { n: count, mean: { kind: 'average', field: 'duration' } },
      dimensions: { item: { kind: 'field', field: 'item' } },
      order: [{ by: 'mean', direction: 'ascending' }],
      range: all,
    },
    rows: [
      { item: 'roads', n: 8, mean: 60_000 },
      { item: 'roads/rivers', n: 1, mean: null },
      { item: 'trees', n: 7, mean: null },
    ],
  },
  {
    name: 'order-puts-nulls-last-descending',
    query: {
      measures: { n: count, mean: { kind: 'average', field: 'duration' } },
      dimensions: { item: { kind: 'field', field: 'item' } },
      order: [
        { by: 'mean', direction: 'descending' },
        { by: 'n', direction: 'descending' },
      ],
      range: all,
    },
    rows: [
      { item: 'roads', n: 8, mean: 60_000 },
      { item: 'trees', n: 7, mean: null },
      { item: 'roads/rivers', n: 1, mean: null },
    ],
  },
  {
    name: 'many-values-count-once-in-each',
    query: {
      measures: { n: count },
      dimensions: { tag: { kind: 'field', field: 'tags' } },
      range: all,
    },
    rows: [
      { tag: 'bot', n: 1 },
      { tag: 'privacy', n: 1 },
      { tag: 'referrer_spam', n: 1 },
    ],
  },
  {
    name: 'many-values-of-the-application-with-missing',
    query: {
      measures: { n: count },
      dimensions: { team: { kind: 'field', field: 'team', missing: '(none)' } },
      filter: views,
      range: all,
    },
    rows: [
      { team: '(none)', n: 4 },
      { team: 'parks', n: 2 },
      { team: 'water', n: 2 },
    ],
  },
  {
    name: 'numbers-and-booleans-group',
    query: {
      measures: { n: count },
      dimensions: {
        bot: { kind: 'field', field: 'bot', missing: 'false' },
        status: { kind: 'field', field: 'status' },
      },
      range: all,
    },
    rows: [{ bot: 'false', status: 404, n: 1 }],
  },
  {
    name: 'days-utc',
    query: {
      measures: { n: count },
      dimensions: { day: { kind: 'time', interval: 'day' } },
      order: [{ by: 'day', direction: 'descending' }],
      range: all,
    },
    rows: [
      { day: Date.UTC(2026, 9, 26), n: 10 },
      { day: Date.UTC(2026, 9, 25), n: 5 },
      { day: Date.UTC(2026, 9, 24), n: 2 },
    ],
  },
  {
    name: 'days-berlin-of-25-hours',
    query: {
      measures: { n: count },
      dimensions: { day: { kind: 'time', interval: 'day' } },
      order: [{ by: 'day', direction: 'ascending' }],
      range: all,
      timeZone: 'Europe/Berlin',
    },
    rows: [
      { day: Date.UTC(2026, 9, 23, 22), n: 1 },
      { day: Date.UTC(2026, 9, 24, 22), n: 5 },
      { day: Date.UTC(2026, 9, 25, 23), n: 11 },
    ],
  },
  {
    name: 'hours-that-happen-twice',
    query: {
      measures: { n: count },
      dimensions: { hour: { kind: 'time', interval: 'hour' } },
      order: [{ by: 'hour', direction: 'ascending' }],
      range: { from: Date.UTC(2026, 9, 24, 22), to: Date.UTC(2026, 9, 25, 23) },
      timeZone: 'Europe/Berlin',
    },
    rows: [
      { hour: Date.UTC(2026, 9, 24, 22), n: 1 },
      { hour: Date.UTC(2026, 9, 25, 0), n: 1 },
      { hour: Date.UTC(2026, 9, 25, 1), n: 2 },
      { hour: Date.UTC(2026, 9, 25, 22), n: 1 },
    ],
  },
  {
    name: 'hours-of-a-half-hour-zone',
    query: {
      measures: { n: count },
      dimensions: { hour: { kind: 'time', interval: 'hour' } },
      order: [{ by: 'hour', direction: 'ascending' }],
      range: { from: Date.UTC(2026, 9, 25), to: Date.UTC(2026, 9, 25, 12) },
      timeZone: 'Asia/Kolkata',
    },
    rows: [
      { hour: Date.UTC(2026, 9, 24, 23, 30), n: 1 },
      { hour: Date.UTC(2026, 9, 25, 0, 30), n: 1 },
      { hour: Date.UTC(2026, 9, 25, 1, 30), n: 1 },
    ],
  },
  {
    name: 'minutes',
    query: {
      measures: { n: count },
      dimensions: { minute: { kind: 'time', interval: 'minute' } },
      order: [{ by: 'minute', direction: 'ascending' }],
      range: { from: Date.UTC(2026, 9, 26, 8, 1), to: Date.UTC(2026, 9, 26, 8, 4) },
      timeZone: 'Europe/Berlin',
    },
    rows: [
      { minute: Date.UTC(2026, 9, 26, 8, 1), n: 1 },
      { minute: Date.UTC(2026, 9, 26, 8, 2), n: 4 },
      { minute: Date.UTC(2026, 9, 26, 8, 3), n: 1 },
    ],
  },
  {
    name: 'weeks-begin-on-monday',
    query: {
      measures: { n: count },
      dimensions: { week: { kind: 'time', interval: 'week' } },
      order: [{ by: 'week', direction: 'ascending' }],
      range: all,
      timeZone: 'America/New_York',
    },
    rows: [
      { week: Date.UTC(2026, 9, 19, 4), n: 7 },
      { week: Date.UTC(2026, 9, 26, 4), n: 10 },
    ],
  },
  {
    name: 'months',
    query: {
      measures: { n: count },
      dimensions: { month: { kind: 'time', interval: 'month' } },
      range: all,
      timeZone: 'Europe/Berlin',
    },
    rows: [{ month: Date.UTC(2026, 8, 30, 22), n: 17 }],
  },
  {
    name: 'time-and-field',
    query: {
      measures: { n: count, visitors: { kind: 'distinct', field: 'visitor' } },
      dimensions: {
        day: { kind: 'time', interval: 'day' },
        format: { kind: 'field', field: 'format' },
      },
      order: [{ by: 'day', direction: 'descending' }],
      range: all,
    },
    rows: [
      { day: Date.UTC(2026, 9, 25), format: 'csv', n: 1, visitors: 1 },
      { day: Date.UTC(2026, 9, 25), format: 'kml', n: 2, visitors: 2 },
    ],
  },
  {
    name: 'others-in-one-row',
    query: {
      measures: {
        n: count,
        visitors: { kind: 'distinct', field: 'visitor' },
        longest: { kind: 'max', field: 'duration' },
      },
      dimensions: { item: { kind: 'field', field: 'item' } },
      order: [{ by: 'item', direction: 'descending' }],
      range: all,
      limit: 1,
      others: 'others',
    },
    rows: [
      { item: 'trees', n: 7, visitors: 3, longest: null },
      { item: 'others', n: 9, visitors: 2, longest: 90_000 },
    ],
  },
  {
    name: 'others-are-events-in-no-row',
    query: {
      measures: { n: count },
      dimensions: { team: { kind: 'field', field: 'team', missing: '(none)' } },
      order: [{ by: 'team', direction: 'descending' }],
      range: all,
      limit: 1,
      others: 'others',
    },
    rows: [
      { team: 'water', n: 2 },
      { team: 'others', n: 15 },
    ],
  },
  {
    name: 'others-hold-what-is-called-like-them',
    query: {
      measures: { events: count },
      dimensions: { item: { kind: 'field', field: 'item' } },
      range: all,
      limit: 2,
      others: 'roads',
    },
    rows: [
      { item: 'trees', events: 7 },
      { item: 'roads', events: 9 },
    ],
  },
  {
    name: 'others-that-are-none-have-no-row',
    query: {
      measures: { n: count },
      dimensions: { format: { kind: 'field', field: 'format' } },
      range: all,
      limit: 2,
      others: 'others',
    },
    rows: [
      { format: 'kml', n: 2 },
      { format: 'csv', n: 1 },
    ],
  },
];

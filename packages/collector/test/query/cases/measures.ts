import { all, count, type QueryCase } from './query-case.ts';

const vitals = { kind: 'equals', field: 'event', value: 'vital' } as const;
const lcp = { kind: 'equals', field: 'name', value: 'LCP' } as const;

export const measures: readonly QueryCase[] = [
  { name: 'count', query: { measures: { n: count }, range: all }, rows: [{ n: 17 }] },
  {
    name: 'count-of-nothing',
    query: {
      measures: {
        n: count,
        visitors: { kind: 'distinct', field: 'visitor' },
        total: { kind: 'sum', field: 'duration' },
        mean: { kind: 'average', field: 'duration' },
        least: { kind: 'min', field: 'duration' },
        most: { kind: 'max', field: 'duration' },
        median: { kind: 'percentile', field: 'duration', at: 50 },
      },
      filter: { kind: 'equals', field: 'item', value: 'never seen' },
      range: all,
    },
    rows: [{ n: 0, visitors: 0, total: 0, mean: null, least: null, most: null, median: null }],
  },
  {
    name: 'empty-range',
    query: { measures: { n: count }, range: { from: all.from, to: all.from } },
    rows: [{ n: 0 }],
  },
  {
    name: 'empty-range-by-item',
    query: {
      measures: { n: count },
      dimensions: { item: { kind: 'field', field: 'item' } },
      range: { from: all.from, to: all.from },
    },
    rows: [],
  },
  {
    name: 'range-is-half-open',
    query: {
      measures: { n: count },
      range: { from: Date.UTC(2026, 9, 24, 22, 30), to: Date.UTC(2026, 9, 25, 23) },
    },
    rows: [{ n: 5 }],
  },
  {
    name: 'distinct',
    query: {
      measures: {
        visitors: { kind: 'distinct', field: 'visitor' },
        tags: { kind: 'distinct', field: 'tags' },
        sizes: { kind: 'distinct', field: 'size' },
        bots: { kind: 'distinct', field: 'bot' },
      },
      range: all,
    },
    rows: [{ visitors: 3, tags: 3, sizes: 3, bots: 1 }],
  },
  {
    name: 'numbers',
    query: {
      measures: {
        total: { kind: 'sum', field: 'value' },
        mean: { kind: 'average', field: 'value', where: lcp },
        least: { kind: 'min', field: 'value' },
        most: { kind: 'max', field: 'value' },
        lowest: { kind: 'percentile', field: 'value', at: 0, where: lcp },
        highest: { kind: 'percentile', field: 'value', at: 100, where: lcp },
      },
      filter: vitals,
      range: all,
    },
    rows: [
      {
        total: 8600.0625,
        mean: 8600 / 3,
        least: 0.0625,
        most: 4800,
        lowest: 1200,
        highest: 4800,
      },
    ],
  },
  {
    name: 'numbers-of-the-application',
    query: {
      measures: {
        n: count,
        total: { kind: 'sum', field: 'size' },
        mean: { kind: 'average', field: 'size' },
        least: { kind: 'min', field: 'size' },
        most: { kind: 'max', field: 'size' },
      },
      filter: { kind: 'exists', field: 'size' },
      range: all,
    },
    rows: [{ n: 3, total: 400, mean: 200, least: 100, most: 300 }],
  },
  {
    name: 'numbers-of-an-unknown-key',
    query: {
      measures: { n: count, total: { kind: 'sum', field: 'no such key' } },
      range: all,
    },
    rows: [{ n: 17, total: 0 }],
  },
  {
    name: 'first-and-last-seen',
    query: {
      measures: { first: { kind: 'min', field: 'time' }, last: { kind: 'max', field: 'time' } },
      filter: { kind: 'equals', field: 'item', value: 'trees' },
      range: all,
    },
    rows: [{ first: Date.UTC(2026, 9, 24, 21, 30), last: Date.UTC(2026, 9, 25, 23) }],
  },
  {
    name: 'where-narrows-one-measure',
    query: {
      measures: {
        n: count,
        good: { kind: 'count', where: { kind: 'equals', field: 'rating', value: 'good' } },
        poor: { kind: 'count', where: { kind: 'equals', field: 'rating', value: 'poor' } },
        poorest: {
          kind: 'max',
          field: 'value',
          where: { kind: 'equals', field: 'rating', value: 'poor' },
        },
      },
      dimensions: { name: { kind: 'field', field: 'name' } },
      filter: vitals,
      range: all,
    },
    rows: [
      { name: 'LCP', n: 3, good: 1, poor: 1, poorest: 4800 },
      { name: 'CLS', n: 1, good: 1, poor: 0, poorest: null },
    ],
  },
];

import type { Row } from '../../../src/query/query.ts';
import type { Scan } from '../../../src/query/scan.ts';
import { all } from './query-case.ts';

/** A scan over the catalogue and its rows. */
export interface ScanCase {
  readonly name: string;
  readonly scan: Scan;
  readonly rows: readonly Row[];
}

const ofCatalogue = { kind: 'equals', field: 'app', value: 'catalogue' } as const;
const views = {
  kind: 'and',
  filters: [ofCatalogue, { kind: 'equals', field: 'event', value: 'view' }],
} as const;

export const scanCases: readonly ScanCase[] = [
  {
    name: 'what each visitor viewed, in order',
    scan: { fields: ['visitor', 'time', 'item'], filter: views, range: all, limit: 100 },
    rows: [
      { visitor: 'v1', time: Date.UTC(2026, 9, 24, 21, 30), item: 'trees' },
      { visitor: 'v1', time: Date.UTC(2026, 9, 25, 0, 15), item: 'trees' },
      { visitor: 'v1', time: Date.UTC(2026, 9, 26, 8, 1), item: 'roads/rivers' },
      { visitor: 'v2', time: Date.UTC(2026, 9, 24, 22, 30), item: 'trees' },
      { visitor: 'v2', time: Date.UTC(2026, 9, 26, 8), item: 'roads' },
      { visitor: 'v3', time: Date.UTC(2026, 9, 25, 1, 15), item: 'trees' },
      { visitor: null, time: Date.UTC(2026, 9, 26, 8, 3), item: 'roads' },
    ],
  },
  {
    name: 'the newest visitors of an item',
    scan: {
      fields: ['visitor', 'item'],
      filter: views,
      range: all,
      visitors: {
        having: {
          kind: 'and',
          filters: [ofCatalogue, { kind: 'prefix', field: 'item', value: 'roads' }],
        },
        limit: 1,
      },
      limit: 100,
    },
    rows: [
      { visitor: 'v2', item: 'trees' },
      { visitor: 'v2', item: 'roads' },
    ],
  },
  {
    name: 'marks beside fields of every type',
    scan: {
      fields: ['event', 'status', 'bot', 'duration'],
      marks: {
        parks: { kind: 'equals', field: 'team', value: 'parks' },
        long: { kind: 'range', field: 'duration', gte: 60_000 },
      },
      filter: {
        kind: 'or',
        filters: [
          { kind: 'exists', field: 'duration' },
          { kind: 'exists', field: 'bot' },
          { kind: 'exists', field: 'status' },
        ],
      },
      range: all,
      limit: 100,
    },
    rows: [
      { event: 'engagement', status: null, bot: null, duration: 30_000, parks: 0, long: 0 },
      { event: 'engagement', status: null, bot: null, duration: 90_000, parks: 0, long: 1 },
      { event: 'view', status: null, bot: 'true', duration: null, parks: 1, long: 0 },
      { event: 'log', status: 404, bot: null, duration: null, parks: 0, long: 0 },
    ],
  },
  {
    name: 'the first rows alone',
    scan: { fields: ['sequence'], filter: ofCatalogue, range: all, limit: 2 },
    rows: [{ sequence: 1 }, { sequence: 3 }],
  },
];

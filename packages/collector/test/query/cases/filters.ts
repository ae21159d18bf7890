import type { Filter } from '../../../src/query/query.ts';
import { all, count, type QueryCase } from './query-case.ts';

export const filters: readonly QueryCase[] = [
  counted('equals', { kind: 'equals', field: 'item', value: 'trees' }, 7),
  counted('equals-a-number', { kind: 'equals', field: 'status', value: 404 }, 1),
  counted('equals-a-boolean', { kind: 'equals', field: 'bot', value: true }, 1),
  counted('equals-false-is-not-absent', { kind: 'equals', field: 'bot', value: false }, 0),
  counted('equals-one-of-many', { kind: 'equals', field: 'tags', value: 'bot' }, 1),
  counted('equals-a-key', { kind: 'equals', field: 'team', value: 'parks' }, 2),
  counted('equals-a-key-by-labels', { kind: 'equals', field: 'labels.team', value: 'parks' }, 2),
  counted('equals-a-number-as-text', { kind: 'equals', field: 'size', value: 100 }, 1),
  counted('in', { kind: 'in', field: 'format', values: ['kml', 'csv', 'xlsx'] }, 3),
  counted('in-keys', { kind: 'in', field: 'team', values: ['parks', 'water'] }, 3),
  counted('in-nothing', { kind: 'in', field: 'format', values: [] }, 0),
  counted('prefix', { kind: 'prefix', field: 'item', value: 'roads' }, 9),
  counted('prefix-is-no-pattern', { kind: 'prefix', field: 'item', value: 'r%' }, 0),
  counted('prefix-of-all', { kind: 'prefix', field: 'item', value: '' }, 16),
  counted('prefix-of-a-key', { kind: 'prefix', field: 'team', value: 'w' }, 2),
  counted('range', { kind: 'range', field: 'value', gte: 1200, lt: 4800 }, 2),
  counted('range-from', { kind: 'range', field: 'duration', gte: 30_000 }, 2),
  counted('range-of-a-key', { kind: 'range', field: 'size', lt: 300 }, 1),
  counted('range-of-time', { kind: 'range', field: 'time', lt: Date.UTC(2026, 9, 25) }, 2),
  counted('exists', { kind: 'exists', field: 'referer' }, 3),
  counted('exists-a-key', { kind: 'exists', field: 'size' }, 3),
  counted('exists-a-boolean', { kind: 'exists', field: 'bot' }, 1),
  counted('not', { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } }, 16),
  counted('not-of-a-key', { kind: 'not', filter: { kind: 'exists', field: 'team' } }, 14),
  counted(
    'not-an-absent-number',
    { kind: 'not', filter: { kind: 'range', field: 'value', gte: 0 } },
    13,
  ),
  counted(
    'and',
    {
      kind: 'and',
      filters: [
        { kind: 'equals', field: 'item', value: 'trees' },
        { kind: 'equals', field: 'event', value: 'download' },
      ],
    },
    3,
  ),
  counted(
    'or',
    {
      kind: 'or',
      filters: [
        { kind: 'equals', field: 'format', value: 'kml' },
        { kind: 'equals', field: 'event', value: 'log' },
      ],
    },
    3,
  ),
  counted('and-of-none', { kind: 'and', filters: [] }, 17),
  counted('or-of-none', { kind: 'or', filters: [] }, 0),
  counted(
    'not-or',
    {
      kind: 'not',
      filter: {
        kind: 'or',
        filters: [
          { kind: 'equals', field: 'item', value: 'trees' },
          { kind: 'in', field: 'team', values: ['parks'] },
        ],
      },
    },
    9,
  ),
  counted('not-a-method-of-objects', { kind: 'exists', field: 'constructor' }, 0),
];

function counted(name: string, filter: Filter, n: number): QueryCase {
  return { name, query: { measures: { n: count }, filter, range: all }, rows: [{ n }] };
}

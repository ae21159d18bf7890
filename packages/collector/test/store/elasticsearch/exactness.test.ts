import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import type { Query, Row } from '../../../src/query/query.ts';
import { GROUPS_MAX } from '../../../src/store/elasticsearch/compile.ts';
import { evaluate } from '../../query/evaluate.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const count = { kind: 'count' } as const;
const item = { kind: 'field', field: 'item' } as const;
const start = Date.UTC(2026, 10, 20);
const range = { from: start, to: start + 3 * 86_400_000 };

/** More items than a shard sends groups, spread so that no shard's own top list is the whole's. */
const items = GROUPS_MAX + 12_000;
const repeats = 400;

let cluster: TestCluster;
let store: ReturnType<TestCluster['open']>;
let events: readonly StoredEvent[];
beforeAll(async () => {
  cluster = await testCluster();
  store = cluster.open({ shards: 3 });
  events = Array.from({ length: items + repeats }, (_, index) => {
    const at = start + ((index * 7_919) % 259_200) * 1_000;
    return eventAt(new Date(at).toISOString(), 'app', {
      item: `item-${index < items ? index : (index % 20) * 2_500}`,
      'user.id': `visitor-${index % 3_000}`,
      'event.action': index % 3 === 0 ? 'download' : 'view',
    });
  });
  for (let first = 1; first <= events.length; first += 20_000) {
    const part = events.slice(first - 1, first - 1 + 20_000);
    await store.append(batchOf('journal', first, part), async () => {});
  }
  await store.refresh();
});
afterAll(() => cluster.clean());

function expected(query: Query): readonly Row[] {
  return evaluate(
    query,
    events.map((event) => ({ ...event })),
  );
}

describe('over several shards and more groups than one answer holds', () => {
  const downloads = { kind: 'equals', field: 'event', value: 'download' } as const;
  const queries: readonly [string, Query][] = [
    ['the top', { measures: { n: count }, dimensions: { item }, range, limit: 25 }],
    [
      'the top by a narrowed count',
      { measures: { n: { ...count, where: downloads } }, dimensions: { item }, range, limit: 10 },
    ],
    [
      'the last',
      {
        measures: { n: count },
        dimensions: { item },
        order: [
          { by: 'n', direction: 'ascending' },
          { by: 'item', direction: 'descending' },
        ],
        range,
        limit: 10,
      },
    ],
    [
      'the first by value',
      {
        measures: { n: count },
        dimensions: { item },
        order: [{ by: 'item', direction: 'descending' }],
        range,
        limit: 10,
      },
    ],
    ['all', { measures: { n: count }, dimensions: { item }, range }],
    [
      'two dimensions',
      {
        measures: { n: count },
        dimensions: { day: { kind: 'time', interval: 'day' }, item },
        range,
        limit: 1_000,
      },
    ],
    [
      'minutes',
      {
        measures: { n: count },
        dimensions: { minute: { kind: 'time', interval: 'minute' } },
        order: [{ by: 'minute', direction: 'ascending' }],
        range,
      },
    ],
    [
      'visitors by day, highest first',
      {
        measures: { visitors: { kind: 'distinct', field: 'visitor', where: downloads } },
        dimensions: { day: { kind: 'time', interval: 'day' } },
        range,
      },
    ],
    [
      'distinct values beside the top',
      {
        measures: { n: count, visitors: { kind: 'distinct', field: 'visitor' } },
        dimensions: { item },
        range,
        limit: 20,
      },
    ],
    [
      'groups by two fields and a distinct count',
      {
        measures: { n: count, items: { kind: 'distinct', field: 'item' } },
        dimensions: {
          event: { kind: 'field', field: 'event' },
          visitor: { kind: 'field', field: 'visitor' },
        },
        order: [{ by: 'items', direction: 'descending' }],
        range,
        limit: 50,
      },
    ],
  ];
  it.each(queries)('answers %s', async (_, query) => {
    expect(await store.query(query)).toEqual(expected(query));
  });

  it('answers more times than one answer holds, with no field to slice by', async () => {
    const minute = { kind: 'time', interval: 'minute' } as const;
    const order = [{ by: 'A', direction: 'ascending' }] as const;
    const once = { measures: { n: count }, dimensions: { A: minute }, order, range };
    // Sixteen buckets for each of 4,320 minutes.
    const names = Array.from('ABCDEFGHIJKLMNOP');
    const dimensions = Object.fromEntries(names.map((name) => [name, minute]));
    const rows = await store.query({ ...once, dimensions });
    expect(rows.map(({ A, n }) => ({ A, n }))).toEqual(await store.query(once));
  });
});

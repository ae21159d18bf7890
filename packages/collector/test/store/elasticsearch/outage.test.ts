import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventStore, Reject } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { Filter } from '../../../src/query/query.ts';
import { always } from '../conformance/with-store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const noon = '2026-11-23T12:00:00.000Z';
const count = { measures: { n: { kind: 'count' } }, range: always } as const;
/** Of no field that is counted ahead. */
const never: Filter = { kind: 'not', filter: { kind: 'exists', field: 'never' } };

let cluster: TestCluster;
let way: Forwarder;
beforeEach(async () => {
  cluster = await testCluster();
  way = await createForwarder(cluster.url);
});
afterEach(async () => {
  await cluster.clean();
  await way.close();
});

const events = (n: number): StoredEvent[] =>
  Array.from({ length: n }, (_, index) =>
    eventAt(noon, 'app', { 'event.id': `e${index}`, 'event.created': noon }),
  );

const noRejects = async (rejects: readonly Reject[]): Promise<void> => {
  expect(rejects).toEqual([]);
};

it('can be made while the cluster is away, says so, and works once it is there', async () => {
  const store = cluster.open({ nodes: [way.url] });
  const batch = batchOf('journal', 1, events(3));
  const selection = { app: 'app' };
  const calls: readonly [string, () => Promise<unknown>][] = [
    ['cursor', () => store.cursor('journal')],
    ['append', () => store.append(batch, noRejects)],
    ['tallies', () => store.tallies('journal')],
    ['query', () => store.query(count)],
    ['places', () => store.places('journal', [{ first: 1, last: 9 }])],
    ['erase', () => store.erase(selection)],
    ['expire', () => store.expire('2026-11-23')],
    ['export', () => Array.fromAsync(store.export(selection))],
    ['refresh', () => store.refresh()],
    ['check', () => store.check()],
  ];
  for (const [name, call] of calls) {
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    expect(error, name).toMatchObject({ name: 'MetronomeError', code: 'unavailable' });
  }

  await way.open();
  await store.check();
  expect(await store.append(batch, noRejects)).toMatchObject({ stored: 3 });
  const templates = await cluster.client.indices.getIndexTemplate({ name: cluster.prefix });
  expect(templates.index_templates).toHaveLength(1);

  await way.close();
  await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
  await way.open();
  await store.refresh();
  expect(await store.query(count)).toEqual([{ n: 3 }]);
});

it.each([
  ['request', 20_000],
  ['response', 2_000],
] as const)('counts each event once when connections break in a %s', async (direction, first) => {
  await way.open();
  const store = cluster.open({ nodes: [way.url] });
  const batch = batchOf('journal', 1, [...events(2_000), ...events(500)]);
  let failures = 0;
  for (let bytes = first; (await cursorOf(store)) === 1; bytes *= 1.5) {
    way.cutAfter(direction, bytes);
    await store.append(batch, noRejects).catch(() => failures++);
  }
  way.cutAfter(direction, Infinity);
  expect(failures).toBeGreaterThan(3);
  expect(await store.cursor('journal')).toBe(2_501);
  expect(await store.tallies('journal')).toMatchObject([{ stored: 2_000, duplicates: 500 }]);
  await store.refresh();
  expect(await store.query(count)).toEqual([{ n: 2_000 }]);
});

async function cursorOf(store: EventStore): Promise<number> {
  return store.cursor('journal').catch(() => 1);
}

it('counts each erased event once when connections break while it erases', async () => {
  await way.open();
  const store = cluster.open({ nodes: [way.url] });
  await store.append(batchOf('journal', 1, events(2_500)), noRejects);
  let failures = 0;
  let erased = false;
  for (let bytes = 4_000; !erased; bytes *= 1.5) {
    way.cutAfter('request', bytes);
    erased = await store.erase({ app: 'app' }).then(
      () => true,
      () => ++failures === 0,
    );
  }
  way.cutAfter('request', Infinity);
  expect(failures).toBeGreaterThan(3);
  expect(await store.tallies('journal')).toMatchObject([{ stored: 2_500, erased: 2_500 }]);
  expect(await store.query(count)).toEqual([{ n: 0 }]);
});

it('waits while an index is read-only, as the flood-stage watermark makes it', async () => {
  const store = cluster.open();
  await store.append(batchOf('journal', 1, events(2)), noRejects);
  const index = `${cluster.prefix}-2026.11.23`;
  const block = (read_only_allow_delete: boolean | null) =>
    cluster.client.indices.putSettings({
      index,
      settings: { 'blocks.read_only_allow_delete': read_only_allow_delete },
    });
  await block(true);
  const next = batchOf('journal', 3, events(4));
  const refused = { code: 'unavailable', message: expect.stringContaining('block') as string };
  await expect(store.append(next, noRejects)).rejects.toMatchObject(refused);
  expect(await store.cursor('journal')).toBe(3);
  await block(null);
  expect(await store.append(next, noRejects)).toMatchObject({ stored: 2, duplicates: 2 });
});

it('rejects events of a day that somebody has closed, and takes the others', async () => {
  const store = cluster.open();
  await store.append(batchOf('journal', 1, events(1)), noRejects);
  await cluster.client.indices.close({ index: `${cluster.prefix}-2026.11.23` });
  const rejects: Reject[] = [];
  const mixed = [...events(2), eventAt('2026-11-24T12:00:00.000Z', 'app')];
  const outcome = await store.append(batchOf('journal', 2, mixed), async (some) => {
    rejects.push(...some);
  });
  expect(outcome).toMatchObject({ stored: 1, rejected: 2 });
  expect(rejects.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('index_closed_exception'),
    expect.stringContaining('index_closed_exception'),
  ]);
});

it('puts its template again when the cluster comes back empty', async () => {
  await way.open();
  const store = cluster.open({ nodes: [way.url] });
  await store.append(batchOf('journal', 1, events(1)), noRejects);
  await way.close();
  await expect(store.append(batchOf('journal', 2, events(2)), noRejects)).rejects.toThrow();
  const indices = [`${cluster.prefix}-2026.11.23`, `${cluster.prefix}_state`];
  await cluster.client.indices.delete({ index: indices });
  await cluster.client.indices.deleteIndexTemplate({ name: cluster.prefix });
  await way.open();
  expect(await store.append(batchOf('journal', 1, events(2)), noRejects)).toMatchObject({
    stored: 2,
  });
  const mapping = await cluster.client.indices.getMapping({ index: indices[0] ?? '' });
  expect(Object.values(mapping)[0]?.mappings.dynamic).toBe('false');
});

it('passes no part off as the whole while a shard is missing', async () => {
  const store = cluster.open({ now: () => Date.UTC(2026, 10, 30) });
  await store.append(batchOf('journal', 1, events(3)), noRejects);
  await store.refresh();
  await store.maintain(new AbortController().signal);
  expect(await store.query(count)).toEqual([{ n: 3 }]);
  await cluster.client.indices.create({
    index: `${cluster.prefix}-2026.11.22`,
    settings: { 'index.routing.allocation.require._name': 'no such node' },
    wait_for_active_shards: 0,
  });
  const another = cluster.open();
  const scan = { fields: ['item'], range: always, limit: 10 } as const;
  const calls: readonly [string, () => Promise<unknown>][] = [
    ['query of counts', () => another.query(count)],
    ['query of events', () => another.query({ ...count, filter: never })],
    ['scan', () => Array.fromAsync(another.scan(scan))],
    ['check', () => another.check()],
  ];
  for (const [name, call] of calls) {
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    expect(error, name).toMatchObject({ name: 'MetronomeError', code: 'unavailable' });
  }
});

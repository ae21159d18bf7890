import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore, Reject } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import { RollupVersions } from '../../../src/store/elasticsearch/rollup-versions.ts';
import { always } from '../conformance/with-store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const DAYS = ['20', '21', '22', '23'].map((day) => `2026-11-${day}`);
const count = { measures: { n: { kind: 'count' } }, range: always } as const;

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

/** One event of each day. */
const events = (id: string): StoredEvent[] =>
  DAYS.map((day) => {
    const time = `${day}T12:00:00.000Z`;
    return eventAt(time, 'app', { 'event.id': id, 'event.created': time, item: id });
  });

const noRejects = async (rejects: readonly Reject[]): Promise<void> => {
  expect(rejects).toEqual([]);
};

const indices = async (): Promise<string[]> =>
  Object.keys(await cluster.client.indices.get({ index: `${cluster.prefix}-*` })).toSorted();

it('drops whole indices, with what is left of erased events, and counts by segment', async () => {
  const store = cluster.open();
  await store.append(batchOf('journal', 1, events('a')), noRejects);
  await store.append(batchOf('journal', 5, events('b'), 5), noRejects);
  await store.append(batchOf('other', 1, events('c')), noRejects);
  expect(await store.erase({ item: 'b', to: Date.UTC(2026, 10, 21) })).toBe(1);

  expect(await store.expire('2026-11-22')).toBe(5);
  expect(await indices()).toEqual([`${cluster.prefix}-2026.11.22`, `${cluster.prefix}-2026.11.23`]);
  await store.refresh();
  expect(await store.query(count)).toEqual([{ n: 6 }]);
  expect(await store.tallies('journal')).toMatchObject([
    { segment: 1, stored: 4, erased: 0, expired: 2 },
    { segment: 5, stored: 4, erased: 1, expired: 1 },
  ]);
  expect(await store.tallies('other')).toMatchObject([{ stored: 4, expired: 2 }]);
  expect(await store.expire('2026-11-22')).toBe(0);
});

it('counts a day that comes back from an import anew', async () => {
  const store = cluster.open();
  for (const first of [1, 5]) {
    await store.append(batchOf('journal', first, events('a')), noRejects);
    expect(await store.expire('2026-11-24')).toBe(4);
  }
  expect(await store.tallies('journal')).toMatchObject([{ stored: 8, expired: 8 }]);
});

it('drops a day that somebody has closed', async () => {
  const store = cluster.open();
  await store.append(batchOf('journal', 1, events('a')), noRejects);
  await cluster.client.indices.close({ index: `${cluster.prefix}-2026.11.20` });
  expect(await store.expire('2026-11-21')).toBe(1);
  expect(await store.tallies('journal')).toMatchObject([{ stored: 4, expired: 1 }]);
});

it('counts each event once when connections break while it expires', async () => {
  await way.open();
  const store = cluster.open({ nodes: [way.url] });
  await store.append(batchOf('journal', 1, events('a')), noRejects);
  let failures = 0;
  let done = false;
  for (let bytes = 500; !done; bytes += 500) {
    way.cutAfter(bytes % 1_000 === 0 ? 'request' : 'response', bytes);
    done = await store.expire('2026-11-24').then(
      () => true,
      () => ++failures === 0,
    );
  }
  way.cutAfter('request', Infinity);
  way.cutAfter('response', Infinity);
  expect(failures).toBeGreaterThan(1);
  expect(await indices()).toEqual([]);
  expect(await store.tallies('journal')).toMatchObject([{ stored: 4, expired: 4 }]);
});

it('counts each event once when several collectors expire and erase at once', async () => {
  const stores = [cluster.open(), cluster.open()] as const;
  await stores[0].append(batchOf('journal', 1, events('a')), noRejects);
  await stores[0].append(batchOf('journal', 5, events('b')), noRejects);
  const erased = await Promise.all(stores.map((store) => store.erase({ item: 'b' })));
  expect(erased.reduce((sum, n) => sum + n)).toBe(4);
  const expired = await Promise.all(stores.map((store) => store.expire('2026-11-22')));
  expect(expired.reduce((sum, n) => sum + n)).toBe(2);
  expect(await stores[0].tallies('journal')).toMatchObject([{ stored: 8, erased: 4, expired: 2 }]);
});

it('drops a day in which an erasure was interrupted', async () => {
  const store = cluster.open();
  await store.append(batchOf('journal', 1, events('a')), noRejects);
  // As an expiry leaves it that was interrupted too.
  const index = `${cluster.prefix}-2026.11.20`;
  await cluster.client.indices.addBlock({ index, block: 'write' });
  const erasing = store.erase({ item: 'a', to: Date.UTC(2026, 10, 21) });
  await expect(erasing).rejects.toMatchObject({ code: 'unavailable' });
  expect(await store.expire('2026-11-21')).toBe(0);
  expect(await store.tallies('journal')).toMatchObject([{ stored: 4, erased: 1, expired: 0 }]);
});

describe('counts that outlive their events', () => {
  const EVER = '0001-01-01';

  /** Tries again as a collector does, until it is done. */
  const expired = async (store: EventStore, meanwhile = (): void => {}): Promise<void> => {
    for (;;) {
      try {
        await store.expire('2026-11-24', EVER);
        return;
      } catch (error) {
        expect(error).toMatchObject({ code: 'unavailable' });
        meanwhile();
      }
    }
  };

  it('are whole when connections break while events expire', async () => {
    await way.open();
    const store = cluster.open({ nodes: [way.url] });
    await store.append(batchOf('journal', 1, events('a').slice(2)), noRejects);
    let bytes = 1_000;
    way.cutAfter('request', bytes);
    let failures = 0;
    await expired(store, () => {
      failures++;
      bytes += 1_000;
      way.cutAfter(bytes % 2_000 === 0 ? 'request' : 'response', bytes);
    });
    way.cutAfter('request', Infinity);
    way.cutAfter('response', Infinity);
    expect(failures).toBeGreaterThan(1);
    expect(await indices()).toEqual([]);
    expect(await store.query(count)).toEqual([{ n: 2 }]);
    expect(await store.tallies('journal')).toMatchObject([{ stored: 2, expired: 2 }]);
  });

  it('are counted once when several collectors expire at once, and late events come', async () => {
    const stores = [cluster.open(), cluster.open()] as const;
    const [store] = stores;
    await store.append(batchOf('journal', 1, events('a').slice(2)), noRejects);
    await Promise.all(stores.map((one) => expired(one)));
    expect(await store.tallies('journal')).toMatchObject([{ stored: 2, expired: 2 }]);
    await store.append(batchOf('journal', 5, events('b').slice(2), 5), noRejects);
    await store.refresh();
    expect(await store.query(count)).toEqual([{ n: 4 }]);
    await Promise.all(stores.map((one) => expired(one)));
    expect(await store.tallies('journal')).toMatchObject([{ expired: 2 }, { expired: 2 }]);
    await store.refresh();
    expect(await store.query(count)).toEqual([{ n: 4 }]);
    for (const one of stores) await one.maintain(new AbortController().signal);
    await store.refresh();
    expect(await store.query(count)).toEqual([{ n: 4 }]);
  });

  it('stay when their rollup is rebuilt between the plan to drop a day and its end', async () => {
    const store = cluster.open();
    await store.append(batchOf('journal', 1, events('a').slice(2)), noRejects);
    await store.maintain(new AbortController().signal);
    const versions = new RollupVersions(cluster.client, cluster.prefix);
    const planned = await versions.all();
    await store.rebuildRollup('tock');
    for (const { value } of planned) await versions.outlive(value.version);
    await cluster.client.indices.delete({ index: [...(await indices())] });
    await store.refresh();
    expect(await store.query(count)).toEqual([{ n: 2 }]);
  });

  it('do not hold up what comes late while another collector counts', async () => {
    const store = cluster.open();
    await store.append(batchOf('journal', 1, events('a')), noRejects);
    await store.maintain(new AbortController().signal);
    const versions = new RollupVersions(cluster.client, cluster.prefix);
    expect(await versions.lease('another', Date.now(), Date.now() + 60_000)).toBe(true);
    const expiring = store.expire('2026-11-24', EVER);
    await expect(expiring).rejects.toMatchObject({ code: 'unavailable' });
    const late = await store.append(batchOf('journal', 5, events('b'), 5), noRejects);
    expect(late).toMatchObject({ stored: 4 });
  });
});

it('knows an erased event again, from another collector and from its own place', async () => {
  const stores = [cluster.open(), cluster.open()] as const;
  await stores[0].append(batchOf('journal', 1, events('a')), noRejects);
  expect(await stores[1].erase({ item: 'a' })).toBe(4);
  // A retry by a client.
  const retry = await stores[0].append(batchOf('journal', 5, events('a'), 5), noRejects);
  expect(retry).toEqual({ stored: 0, duplicates: 4, rejected: 0 });
  // A delivery that a crash cut off before its cursor moved, after which the events were erased.
  for (const segment of [1, 5]) {
    const tally = { index: `${cluster.prefix}_state`, id: `journal/${segment}` };
    await cluster.client.delete({ ...tally, refresh: true }, { ignore: [404] });
  }
  await stores[0].append(batchOf('journal', 1, events('a')), noRejects);
  expect(await stores[0].tallies('journal')).toMatchObject([
    { last: 4, stored: 4, duplicates: 0, erased: 4 },
  ]);
  expect(await Array.fromAsync(stores[0].export({ app: 'app' }))).toEqual([]);
});

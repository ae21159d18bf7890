import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import { batchOf, batchOfLines, eventAt, journaled } from '../journal-lines.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const noon = '2026-11-23T12:00:00.000Z';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await testCluster();
});
afterEach(() => cluster.clean());

const noRejects = (): Promise<void> => Promise.reject(new Error('nothing is rejected here'));

/** Without a client time a twin can lie in the index of the day before. */
const wandering = (id: string, received = noon): StoredEvent =>
  eventAt(received, 'app', { 'event.id': id });

it('takes a batch while the one before it is under way, each event once', async () => {
  const store = cluster.open();
  const first = [wandering('a', '2026-11-22T23:00:00.000Z'), eventAt(noon, 'app')];
  const taken = await Promise.all([
    store.append(batchOf('journal', 1, first), noRejects),
    store.append(batchOf('journal', 3, [wandering('a'), wandering('b')]), noRejects),
    store.append(batchOf('journal', 5, [wandering('b')]), noRejects),
  ]);
  expect(taken).toEqual([
    { stored: 2, duplicates: 0, rejected: 0 },
    { stored: 1, duplicates: 1, rejected: 0 },
    { stored: 0, duplicates: 1, rejected: 0 },
  ]);
  expect(await store.cursor('journal')).toBe(6);
});

it('passes no batch whose end is not committed, however far the next one is', async () => {
  const store = cluster.open();
  const [event] = journaled('journal', 1, [eventAt(noon, 'app')]);
  const cutOff = batchOfLines('journal', 1, [JSON.stringify(event), 'not JSON']);
  const next = batchOf('journal', 3, [wandering('a'), eventAt(noon, 'app')]);
  const failed = await Promise.allSettled([
    store.append(cutOff, () => Promise.reject(new Error('cut off'))),
    store.append(next, noRejects),
  ]);
  expect(failed).toMatchObject([
    { reason: { message: 'cut off' } },
    { reason: { code: 'unavailable' } },
  ]);
  expect(await store.cursor('journal')).toBe(1);

  const kept: number[] = [];
  const taken = await Promise.all([
    store.append(cutOff, async (rejects) => {
      kept.push(...rejects.map(({ sequence }) => sequence));
    }),
    store.append(next, noRejects),
  ]);
  expect(taken).toMatchObject([{ stored: 1, rejected: 1 }, { stored: 2 }]);
  expect(kept).toEqual([2]);
  expect(await store.cursor('journal')).toBe(5);
});

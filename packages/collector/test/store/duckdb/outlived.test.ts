import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventStore } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import { type DeclaredRows, defineQuery } from '../../../src/query/declared.ts';
import type { Filter } from '../../../src/query/query.ts';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

const DAY_MS = 86_400_000;
const EVER = '0001-01-01';
const noRejects = (): Promise<void> => Promise.resolve();
const signal = new AbortController().signal;

let dataDir = '';
let store: EventStore;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-outlived-'));
  store = open();
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

function open(queries: Readonly<Record<string, DeclaredRows>> = {}): EventStore {
  let now = Date.UTC(2026, 10, 30);
  return openDuckdbStore({ dataDir, now: () => (now += DAY_MS), queries });
}

/** Views of trees and roads by two visitors on the first six days of a month. */
function views(): StoredEvent[] {
  return [1, 2, 3, 4, 5, 6].flatMap((date) =>
    ['trees', 'roads'].flatMap((item) =>
      ['ann', 'bob'].map((visitor) =>
        eventAt(`2026-11-0${date}T10:00:00.000Z`, 'app', { item, 'user.id': visitor }),
      ),
    ),
  );
}

/** Counts of the month by day, and the number of events themselves. */
async function counted(
  filter?: Filter,
): Promise<{ readonly days: readonly unknown[]; readonly events: unknown }> {
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  const measures = { n: { kind: 'count' } } as const;
  const rows = await store.query({
    measures,
    dimensions: { day: { kind: 'time', interval: 'day' } },
    ...(filter && { filter }),
    range,
    order: [{ by: 'day', direction: 'ascending' }],
  });
  const none: Filter = { kind: 'not', filter: { kind: 'exists', field: 'never' } };
  const [all] = await store.query({
    measures,
    filter: { kind: 'and', filters: [none, ...(filter ? [filter] : [])] },
    range,
  });
  return { days: rows.map(({ n }) => n), events: all?.['n'] };
}

const ofTrees: Filter = { kind: 'equals', field: 'item', value: 'trees' };

test('counts outlive their events, and go when their own time is over', async () => {
  await store.append(batchOf('j', 1, views()), noRejects);
  expect(await store.expire('2026-11-04', EVER)).toBe(12);
  expect(await counted()).toEqual({ days: [4, 4, 4, 4, 4, 4], events: 12 });
  expect(await counted(ofTrees)).toEqual({ days: [2, 2, 2, 2, 2, 2], events: 6 });
  await store.close();
  store = open();
  await store.maintain(signal);
  expect(await counted()).toEqual({ days: [4, 4, 4, 4, 4, 4], events: 12 });
  expect(await store.expire('2026-11-05', '2026-11-03')).toBe(4);
  expect(await counted()).toEqual({ days: [4, 4, 4, 4], events: 8 });
  const [tally] = await store.tallies('j');
  expect(tally).toMatchObject({ stored: 24, expired: 16 });
  expect(await store.expire('2026-11-05')).toBe(0);
  expect(await counted()).toEqual({ days: [4, 4], events: 8 });
});

test('what comes late is counted before it goes', async () => {
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.expire('2026-11-04', EVER);
  await store.append(batchOf('late', 1, views().slice(0, 3)), noRejects);
  expect(await counted()).toEqual({ days: [7, 4, 4, 4, 4, 4], events: 15 });
  expect(await store.expire('2026-11-04', EVER)).toBe(3);
  expect(await counted()).toEqual({ days: [7, 4, 4, 4, 4, 4], events: 12 });
});

test('an erasure corrects the counts of events that are there, and of an item all', async () => {
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.expire('2026-11-04', EVER);
  expect(await store.erase({ visitor: 'ann' })).toBe(6);
  expect(await counted(ofTrees)).toEqual({ days: [2, 2, 2, 1, 1, 1], events: 3 });
  expect(await store.erase({ item: 'trees', app: 'other' })).toBe(0);
  expect(await counted(ofTrees)).toMatchObject({ days: [2, 2, 2, 1, 1, 1] });
  const second = Date.UTC(2026, 10, 2);
  expect(await store.erase({ item: 'trees', from: second, to: second + DAY_MS })).toBe(0);
  expect(await counted(ofTrees)).toMatchObject({ days: [2, 2, 1, 1, 1] });
  expect(await store.erase({ item: 'trees' })).toBe(3);
  expect(await counted(ofTrees)).toEqual({ days: [], events: 0 });
  expect(await counted()).toEqual({ days: [4, 4, 4, 1, 1, 1], events: 3 });
});

test('a rollup that is declared later begins with the events that are there', async () => {
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.expire('2026-11-04', EVER);
  await store.close();
  const queries = {
    visitors: defineQuery({
      rollup: true,
      measures: { n: { kind: 'count' } },
      dimensions: { visitor: { kind: 'field', field: 'visitor' } },
    }),
  };
  store = open(queries);
  await store.maintain(signal);
  const { rollup: _, ...query } = queries.visitors;
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  expect(await store.query({ ...query, range })).toEqual([
    { visitor: 'ann', n: 6 },
    { visitor: 'bob', n: 6 },
  ]);
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventStore } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import { type DeclaredRows, defineQuery } from '../../../src/query/declared.ts';
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

test('counts that outlive their events are there after the next start', async () => {
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.expire('2026-11-04', EVER);
  await store.close();
  store = open();
  await store.maintain(signal);
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  expect(await store.query({ measures: { n: { kind: 'count' } }, range })).toEqual([{ n: 24 }]);
});

test('counts that outlive their events are not rebuilt, until they are gone', async () => {
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.expire('2026-11-04', EVER);
  await expect(store.rebuildRollup('tock')).rejects.toMatchObject({
    code: 'bad-request',
    message: expect.stringContaining('The counts of days before 2026-11-04 have outlived'),
  });
  await store.rebuildRollup('uses');
  await store.maintain(signal);
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  const total = () => store.query({ measures: { n: { kind: 'count' } }, range });
  expect(await total()).toEqual([{ n: 24 }]);
  await store.expire('2026-11-04');
  await store.rebuildRollup('tock');
  expect(await total()).toEqual([{ n: 12 }]);
  await store.maintain(signal);
  expect(await total()).toEqual([{ n: 12 }]);
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
  const { rollup: _, ...query } = queries.visitors;
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  expect(await store.countsFrom({ ...query, range })).toBe(Number.POSITIVE_INFINITY);
  await store.maintain(signal);
  expect(await store.countsFrom({ ...query, range })).toBe(Date.UTC(2026, 10, 4));
  expect(await store.query({ ...query, range })).toEqual([
    { visitor: 'ann', n: 6 },
    { visitor: 'bob', n: 6 },
  ]);
  await store.expire('2026-11-05', EVER);
  expect(await store.countsFrom({ ...query, range })).toBe(Date.UTC(2026, 10, 4));
  await store.expire('2026-11-06', '2026-11-05');
  expect(await store.countsFrom({ ...query, range })).toBe(Date.UTC(2026, 10, 5));
});

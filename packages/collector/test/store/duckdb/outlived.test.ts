import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { EventStore } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import { type DeclaredRows, defineQuery } from '../../../src/query/declared.ts';
import { Session } from '../../../src/store/duckdb/session.ts';
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

function open(
  queries: Readonly<Record<string, DeclaredRows>> = {},
  keepsUndeclared = false,
): EventStore {
  let now = Date.UTC(2026, 10, 30);
  return openDuckdbStore({ dataDir, now: () => (now += DAY_MS), queries, keepsUndeclared });
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

/** Views of trees by day. */
async function total(): Promise<unknown> {
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  return store.query({
    measures: { n: { kind: 'count' } },
    dimensions: { day: { kind: 'time', interval: 'day' } },
    filter: { kind: 'equals', field: 'item', value: 'trees' },
    order: [{ by: 'day', direction: 'ascending' }],
    range,
  });
}

/** Makes what is counted of days from one on wrong, as a mistake of an earlier version would. */
async function spoil(from: number): Promise<void> {
  await store.close();
  const instance = await DuckDBInstance.create(join(dataDir, 'metronome.duckdb'));
  const connection = await instance.connect();
  for (const [table, stepMs] of [
    ['rollup_item_days', DAY_MS],
    ['rollup_item_weeks', 7 * DAY_MS],
  ] as const) {
    const slot = Math.floor(from / stepMs);
    await connection.run(`UPDATE ${table} SET events = events + 5 WHERE slot >= ${slot}`);
  }
  // Of a day without an event.
  await connection.run(
    `INSERT INTO rollup_item_days SELECT * REPLACE (slot + 9 AS slot) FROM rollup_item_days`,
  );
  connection.closeSync();
  instance.closeSync();
  store = open();
}

test('counts whose events are there are rebuilt, beside those that outlive theirs', async () => {
  const days = (...counts: readonly number[]): unknown =>
    counts.map((n, index) => ({ day: Date.UTC(2026, 10, 1 + index), n }));
  const range = { from: Date.UTC(2026, 9, 26), to: Date.UTC(2026, 10, 30) };
  const byItem = async (): Promise<unknown> =>
    store.query({
      measures: { n: { kind: 'count' } },
      dimensions: { item: { kind: 'field', field: 'item' } },
      range,
    });
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.maintain(signal);
  await store.expire('2026-11-04', EVER);
  const [late] = views();
  await store.append(batchOf('j', 25, late ? [late] : []), noRejects);
  await store.maintain(signal);
  await spoil(Date.UTC(2026, 10, 4));
  expect(await total()).not.toEqual(days(3, 2, 2, 2, 2, 2));

  await store.rebuildRollup('tock');
  expect(await total()).toEqual(days(3, 2, 2, 2, 2, 2));
  const tock = async () => (await store.rollups()).find(({ name }) => name === 'tock');
  expect(await tock()).toEqual({ name: 'tock', events: 13, counted: 1, isUpToDate: false });
  await store.close();
  store = open();
  expect(await total()).toEqual(days(3, 2, 2, 2, 2, 2));
  await store.maintain(signal);
  expect(await tock()).toEqual({ name: 'tock', events: 13, counted: 13, isUpToDate: true });
  expect(await total()).toEqual(days(3, 2, 2, 2, 2, 2));
  expect(await byItem()).toEqual([
    { item: 'trees', n: 13 },
    { item: 'roads', n: 12 },
  ]);
});

test('counts that are being rebuilt are right before they outlive their events', async () => {
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.maintain(signal);
  await spoil(0);
  await store.rebuildRollup('tock');
  await store.expire('2026-11-04', EVER);
  const right = [1, 2, 3, 4, 5, 6].map((date) => ({ day: Date.UTC(2026, 10, date), n: 2 }));
  expect(await total()).toEqual(right);
  await store.rebuildRollup('tock');
  await store.maintain(signal);
  expect(await total()).toEqual(right);
  await store.expire('2026-11-04');
  await store.rebuildRollup('tock');
  expect(await total()).toEqual(right.slice(3));
  await store.maintain(signal);
  expect(await total()).toEqual(right.slice(3));
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

test('those of a query stay where a command does not know it', async () => {
  const queries = { items: defineQuery({ rollup: true, measures: { n: { kind: 'count' } } }) };
  const { rollup: _, ...query } = queries.items;
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  const reopen = async (...how: Parameters<typeof open>): Promise<void> => {
    await store.close();
    store = open(...how);
  };
  await reopen(queries);
  await store.append(batchOf('j', 1, views()), noRejects);
  await store.expire('2026-11-04', EVER);
  const from = await store.countsFrom({ ...query, range });

  await reopen({}, true);
  expect(await store.query({ ...query, range })).toEqual([{ n: 24 }]);
  expect(await store.rollups()).toHaveLength(3);
  const config = { code: 'config', message: expect.stringContaining('METRONOME_CONFIG') };
  await expect(store.rebuildRollup('tock')).rejects.toMatchObject(config);
  await expect(store.erase({ visitor: 'ann' })).rejects.toMatchObject(config);
  await reopen(queries, true);
  expect(await store.erase({ visitor: 'ann' })).toBe(6);
  await reopen(queries);
  await store.maintain(signal);
  expect(await store.countsFrom({ ...query, range })).toBe(from);
  expect(await store.query({ ...query, range })).toEqual([{ n: 18 }]);
});

test('an event of a later day stays as long as its day, whatever its clock said', async () => {
  const behind = { 'event.created': '2026-11-03T23:30:00.000Z', 'event.id': 'behind' };
  const event = (fields: Partial<StoredEvent>): StoredEvent =>
    eventAt('2026-11-04T01:00:00.000Z', 'app', { item: 'trees', 'user.id': 'ann', ...fields });
  const secret = event({ ...behind, 'event.id': 'secret', item: 'secret' });
  await store.append(batchOf('j', 1, [event({}), event(behind), secret]), noRejects);
  await store.maintain(signal);
  expect(await store.expire('2026-11-04', EVER)).toBe(0);
  expect(await store.erase({ item: 'secret' })).toBe(1);
  const two = [{ day: Date.UTC(2026, 10, 4), n: 2 }];
  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 11, 1) };
  const all = () => store.query({ measures: { n: { kind: 'count' } }, range });
  expect(await all()).toEqual([{ n: 2 }]);
  await store.rebuildRollup('tock');
  expect(await total()).toEqual(two);
  await store.maintain(signal);
  expect(await total()).toEqual(two);
  expect(await store.expire('2026-11-05', EVER)).toBe(2);
  expect(await total()).toEqual(two);
  expect(await all()).toEqual([{ n: 2 }]);
});

test('a commit that failed, but went through, is not made twice', async () => {
  const event = (hour: number, fields: Partial<StoredEvent> = {}): StoredEvent =>
    eventAt(`2026-11-01T0${hour}:00:00.000Z`, 'app', { item: 'trees', ...fields });
  const stays = event(5, { 'event.created': '2026-11-02T04:00:00.000Z' });
  await store.append(batchOf('j', 1, [event(1), event(2), event(3), stays]), noRejects);
  await store.maintain(signal);
  const { run } = Session.prototype;
  let drops = false;
  const spy = vi.spyOn(Session.prototype, 'run');
  onTestFinished(() => spy.mockRestore());
  spy.mockImplementation(async function (this: Session, ...given) {
    await run.apply(this, given);
    const [sql] = given;
    drops ||= sql.startsWith('DELETE FROM events');
    if (sql !== 'COMMIT' || !drops) return;
    spy.mockRestore();
    throw new Error(
      'FATAL Error: Failed to create checkpoint because of error: Out of Memory Error',
    );
  });
  await store.expire('2026-11-02', EVER);
  expect(drops).toBe(true);
  expect(await total()).toEqual([{ day: Date.UTC(2026, 10, 1), n: 4 }]);
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { DeclaredRows } from '../../../src/query/declared.ts';
import type { Filter } from '../../../src/query/query.ts';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { asked, DECLARED, eventArb, live, queryArb, timeArb } from '../declared-orders.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

const DAY_MS = 86_400_000;
const noRejects = (): Promise<void> => Promise.resolve();
const signal = new AbortController().signal;

let root = '';
let folders = 0;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'metronome-declared-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const stepArb = fc.oneof(
  { weight: 4, arbitrary: fc.array(eventArb, { minLength: 1, maxLength: 10 }) },
  { weight: 3, arbitrary: fc.constant('maintain' as const) },
  { weight: 1, arbitrary: fc.constantFrom('open' as const, 'rebuild' as const) },
  {
    weight: 1,
    arbitrary: fc.record({ item: fc.constantFrom('trees', 'roads'), from: timeArb }),
  },
  { weight: 1, arbitrary: fc.constantFrom('2026-10-03', '2026-10-31') },
);

type Steps = readonly (StoredEvent[] | string | { item: string; from: number })[];

/** Each opening has other queries than the one before, and each maintenance is on another day. */
async function take(dataDir: string, begun: number, steps: Steps): Promise<EventStore> {
  let [openings, now] = [0, begun];
  const open = (): EventStore => {
    const queries = openings++ % 2 === 0 ? DECLARED : { total: DECLARED.total };
    return openDuckdbStore({ dataDir, now: () => now, queries });
  };
  let store = open();
  let next = 1;
  for (const step of steps) {
    if (step === 'maintain') {
      now += DAY_MS;
      await store.maintain(signal);
    } else if (step === 'rebuild') {
      for (const { name } of await store.rollups()) await store.rebuildRollup(name);
    } else if (step === 'open') {
      await store.close();
      store = open();
    } else if (typeof step === 'string') await store.expire(step);
    else if (Array.isArray(step)) {
      await store.append(batchOf('journal', next, step), noRejects);
      next += step.length;
    } else await store.erase(step);
  }
  return store;
}

describe('rollups of declared queries', () => {
  it('answer as the events themselves do, whatever came late or went', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArb, { minLength: 3, maxLength: 9 }),
        fc.array(queryArb, { minLength: 8, maxLength: 12 }),
        fc.constantFrom(Date.UTC(2026, 10, 2), Date.UTC(2026, 10, 6, 12)),
        async (steps, queries, now) => {
          const store = await take(join(root, `${++folders}`), now, steps);
          for (const query of queries) {
            expect(await store.query(query)).toEqual(await store.query(live(query)));
          }
          await store.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  const range = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 8) };
  const order = (date: number, department: string): StoredEvent =>
    eventAt(`2026-11-0${date}T10:00:00.000Z`, 'app', {
      'event.action': 'order',
      item: 'trees',
      labels: { department },
      metrics: { price: date },
    });
  const events = [order(1, 'parks'), order(2, 'parks'), order(2, 'streets')];
  const { departments } = DECLARED;
  const ofTrees: Filter = { kind: 'equals', field: 'item', value: 'trees' };

  it('are made of the events that are there, kept while declared so, and dropped then', async () => {
    const dataDir = join(root, 'life');
    const answer = async (
      queries: Record<string, DeclaredRows>,
    ): Promise<{ rows: readonly unknown[]; sql: string; names: readonly string[] }> => {
      const store = openDuckdbStore({ dataDir, queries });
      const before = await store.rollups();
      await store.maintain(signal);
      const progress = await store.rollups();
      expect(progress.every(({ events: all, counted }) => all === counted)).toBe(true);
      const query = asked(departments, [ofTrees], range);
      const [rows, sql] = [await store.query(query), await store.explain(query)];
      await store.close();
      return {
        rows,
        sql,
        names: before.filter((one) => one.counted < one.events).map(({ name }) => name),
      };
    };
    const rows = [
      { department: 'parks', revenue: 3, orders: 2, dear: 0, mean: 1.5, least: 1, most: 2 },
      { department: 'streets', revenue: 2, orders: 1, dear: 0, mean: 2, least: 2, most: 2 },
    ];
    const store = openDuckdbStore({ dataDir });
    await store.append(batchOf('j', 1, events), noRejects);
    await store.maintain(signal);
    await store.close();
    const added = await answer({ departments });
    expect(added).toMatchObject({ rows, names: ['departments'] });
    expect(added.sql).toMatch(/FROM rollup_declared_\w+_days/u);
    expect(added.sql).not.toContain('FROM events');
    expect((await answer({ departments })).names).toEqual([]);
    const changed = { ...departments, filter: { kind: 'exists', field: 'price' } } as const;
    const other = await answer({ departments: changed });
    expect(other.names).toEqual(['departments']);
    expect(other.rows).toEqual(rows);
    expect(other.sql).not.toContain('rollup_');
    expect((await answer({ departments: { ...departments, rollup: false } })).names).toEqual([]);
  });

  it('serve queries that differ in names, order and limit alone', async () => {
    const { revenue, ...others } = departments.measures;
    const alike = {
      ...departments,
      measures: { money: revenue, ...others },
      limit: 1,
    } as const satisfies DeclaredRows;
    const store = openDuckdbStore({ dataDir: root, queries: { departments, alike } });
    await store.append(batchOf('j', 1, events), noRejects);
    await store.maintain(signal);
    expect((await store.rollups()).map(({ name }) => name)).toEqual([
      'tock',
      'errors',
      'uses',
      'departments, alike',
    ]);
    const query = asked(alike, [], range);
    expect(await store.explain(query)).toContain('FROM rollup_declared_');
    expect(await store.query(query)).toMatchObject([{ money: 3 }, { money: 2 }]);
    await store.close();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { append } from '../../../src/store/duckdb/append.ts';
import { Engine } from '../../../src/store/duckdb/engine.ts';
import { erase } from '../../../src/store/duckdb/erase.ts';
import { Questions } from '../../../src/store/duckdb/questions.ts';
import { Rollups } from '../../../src/store/duckdb/rollups.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

function openRollups(): { readonly engine: Engine; readonly rollups: Rollups } {
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-erase-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = new Engine({ dataDir });
  onTestFinished(() => engine.close());
  return { engine, rollups: new Rollups(engine, [], false) };
}

it('erases a large selection a stretch at a time, each with all that belongs to it', async () => {
  const { engine, rollups } = openRollups();
  const events = Array.from({ length: 9000 }, (_, n) =>
    eventAt('2026-11-02T10:00:00.000Z', 'app', { item: n % 3 === 0 ? 'trees' : 'roads' }),
  );
  const batches = [0, 3000, 6000].map((at) => batchOf('j', at + 1, events.slice(at, at + 3000)));
  for (const batch of batches) await append(engine, batch, () => Promise.resolve());
  await rollups.keepUp(Date.UTC(2026, 10, 4), new AbortController().signal);

  expect(await erase(engine, rollups, { item: 'trees' }, 1)).toBe(3000);
  const numbers = (sql: string): Promise<readonly number[]> =>
    engine.read(async (session) => (await session.rows(sql)).flat().map(Number));
  expect(await numbers('SELECT count(*) FROM events')).toEqual([6000]);
  expect(await numbers('SELECT sum(events) FROM rollup_item_days')).toEqual([6000]);
  expect(await numbers('SELECT stored, erased FROM tallies')).toEqual([9000, 3000]);
  expect(await numbers('SELECT count(DISTINCT tombstone) FROM tombstones')).toEqual([3000]);
});

it('answers right while the counts of many items are still to be corrected', async () => {
  const { engine, rollups } = openRollups();
  const views = Array.from({ length: 3000 }, (_, n) =>
    eventAt(`2026-11-0${2 + (n % 2)}T10:00:00.000Z`, 'app', {
      item: `item-${n >> 1}`,
      'user.id': n % 2 === 0 ? 'ann' : 'bob',
    }),
  );
  await append(engine, batchOf('j', 1, views), () => Promise.resolve());
  await rollups.keepUp(Date.UTC(2026, 10, 4), new AbortController().signal);
  const questions = new Questions(engine, rollups);
  const days = async (item: string): Promise<readonly unknown[]> => {
    const rows = await questions.ask({
      measures: { n: { kind: 'count' } },
      dimensions: { day: { kind: 'time', interval: 'day' } },
      filter: { kind: 'equals', field: 'item', value: item },
      range: { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 8) },
    });
    return rows.map(({ day }) => new Date(Number(day)).getUTCDate());
  };
  const countDirty = rollups.countDirty.bind(rollups);
  const counting = vi.spyOn(rollups, 'countDirty').mockImplementation(async (signal) => {
    const { dirty } = await engine.read((session) => rollups.state(session));
    expect(dirty).toEqual([{ app: 'app', day: Date.UTC(2026, 10, 2) }]);
    expect(await days('item-7')).toEqual([3]);
    await countDirty(signal);
  });
  expect(await days('item-7')).toEqual([2, 3]);
  expect(await erase(engine, rollups, { visitor: 'ann' })).toBe(1500);
  expect(counting).toHaveBeenCalledOnce();
  expect(await days('item-7')).toEqual([3]);
});

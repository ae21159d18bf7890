import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { append } from '../../../src/store/duckdb/append.ts';
import { Engine } from '../../../src/store/duckdb/engine.ts';
import { erase } from '../../../src/store/duckdb/erase.ts';
import { Rollups } from '../../../src/store/duckdb/rollups.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

it('erases a large selection a stretch at a time, each with all that belongs to it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-erase-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = new Engine({ dataDir });
  onTestFinished(() => engine.close());
  const rollups = new Rollups(engine, [], false);
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

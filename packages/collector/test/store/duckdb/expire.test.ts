import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { append } from '../../../src/store/duckdb/append.ts';
import { Engine } from '../../../src/store/duckdb/engine.ts';
import { expire } from '../../../src/store/duckdb/expire.ts';
import { Questions } from '../../../src/store/duckdb/questions.ts';
import { Rollups } from '../../../src/store/duckdb/rollups.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

it.each([
  ['with its counts', '2026-11-03', 2],
  ['but for its counts', '0001-01-01', 3],
])('drops a day that lies scattered a stretch at a time, %s', async (_, countsBefore, days) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-expire-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = new Engine({ dataDir });
  onTestFinished(() => engine.close());
  const rollups = new Rollups(engine, [], false);
  const events = Array.from({ length: 9000 }, (_unused, n) =>
    eventAt(`2026-11-0${2 + (n % 3)}T10:00:00.000Z`, 'app', { item: 'trees' }),
  );
  const batches = [0, 3000, 6000].map((at) => batchOf('j', at + 1, events.slice(at, at + 3000)));
  for (const batch of batches) await append(engine, batch, () => Promise.resolve());
  await rollups.keepUp(Date.UTC(2026, 10, 5), new AbortController().signal);

  expect(await expire(engine, rollups, '2026-11-03', { countsBefore, vectorsMax: 1 })).toBe(3000);
  const numbers = (sql: string): Promise<readonly number[]> =>
    engine.read(async (session) => (await session.rows(sql)).flat().map(Number));
  expect(await numbers('SELECT count(*) FROM events')).toEqual([6000]);
  expect(await numbers('SELECT stored, expired FROM tallies')).toEqual([9000, 3000]);
  const byDay = await new Questions(engine, rollups).ask({
    measures: { n: { kind: 'count' } },
    dimensions: { day: { kind: 'time', interval: 'day' } },
    filter: { kind: 'equals', field: 'item', value: 'trees' },
    range: { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 8) },
  });
  expect(byDay.map(({ n }) => n)).toEqual(Array.from({ length: days }, () => 3000));
});

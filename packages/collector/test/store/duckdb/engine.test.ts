import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Engine } from '../../../src/store/duckdb/engine.ts';

it('gives back what the log holds in memory to what runs short of it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-engine-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = new Engine({ dataDir, memoryMb: 19 });
  onTestFinished(() => engine.close());
  const rows = 'SELECT range AS n, md5(range::VARCHAR) AS text FROM range';
  await engine.upkeep(async (session) => {
    await session.run(`CREATE TABLE many AS ${rows}(2000000)`);
    await session.run('CHECKPOINT');
  });
  // Less than what makes the engine write its log into the tables by itself.
  for (let first = 0; first < 800_000; first += 100_000) {
    await engine.upkeep((session) =>
      session.run('DELETE FROM many WHERE n >= $1 AND n < $1 + 100000', [first]),
    );
  }
  let tries = 0;
  await engine.upkeep((session) => {
    tries++;
    return session.run(`INSERT INTO many ${rows}(300000) ORDER BY text`);
  });
  const [[count] = []] = await engine.read((session) => session.rows('SELECT count(*) FROM many'));
  expect({ tries, count }).toEqual({ tries: 2, count: 1_500_000n });
});

it('answers as before while its file is opened anew', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-engine-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = new Engine({ dataDir });
  onTestFinished(() => engine.close());
  await engine.write((session) => session.run('CREATE TABLE numbers (n BIGINT)'));
  const count = (): Promise<number> =>
    engine.read(async (session) => {
      const [[rows] = []] = await session.rows('SELECT count(*) FROM numbers');
      return Number(rows);
    });
  const insert = (): Promise<void> =>
    engine.write((session) => session.run('INSERT INTO numbers SELECT range FROM range(100)'));
  const upkeep = (): Promise<void> =>
    engine.upkeep((session) => session.run('DELETE FROM numbers WHERE n = 7'));
  await Promise.all(
    Array.from({ length: 20 }, () => [insert(), engine.renew(), count(), upkeep()]).flat(),
  );
  await upkeep();
  expect(await count()).toBe(20 * 99);
});

it('goes on after a write within a turn that memory is too short for', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-engine-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = new Engine({ dataDir, memoryMb: 19 });
  onTestFinished(() => engine.close());
  await engine.write(async (session) => {
    await session.run('CREATE TABLE many AS SELECT range AS n FROM range(4000000)');
    await session.run('CHECKPOINT');
  });
  // A group of 2,048 rows with a deletion takes 16 KB.
  const remove = (below: number): Promise<void> =>
    engine.inTurn(() =>
      engine.write((session) =>
        session.transaction(() =>
          session.run(`DELETE FROM many WHERE n % 2000 = 0 AND n < ${below}`),
        ),
      ),
    );
  const count = (): Promise<unknown> =>
    engine.read((session) => session.rows('SELECT count(*) FROM many'));
  const [all] = await Promise.allSettled([remove(4_000_000), remove(1), count(), engine.renew()]);
  expect(all).toMatchObject({
    status: 'rejected',
    reason: { code: 'unavailable', message: expect.stringContaining('it is short of memory') },
  });
  await remove(400_000);
  expect(await count()).toEqual([[4_000_000n - 200n]]);
});

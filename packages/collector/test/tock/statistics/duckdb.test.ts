import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { describeStatistics } from './describe-statistics.ts';

const folders: string[] = [];

describeStatistics(
  'DuckDB',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'metronome-statistics-'));
    folders.push(dataDir);
    return openDuckdbStore({ dataDir });
  },
  40,
);

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { describeEventStore } from '../conformance.ts';

const folders: string[] = [];

describeEventStore(
  'DuckDB',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'metronome-duckdb-'));
    folders.push(dataDir);
    return openDuckdbStore({ dataDir });
  },
  { propertyRuns: 100 },
);

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

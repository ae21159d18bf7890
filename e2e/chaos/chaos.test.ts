// A short slice of `npm run chaos`, always with the same seed.
import { expect, test } from 'vitest';
import { sharedElasticsearch } from '../parts/shared-elasticsearch.ts';
import { killRun } from './kill-run.ts';
import { textOf } from './report.ts';
import { duckdb, indicesOn, type RunStore } from './stores.ts';

const TIMEOUT_MS = 240_000;
const KILLING_MS = 45_000;

test.each([
  ['DuckDB', 20, () => Promise.resolve(duckdb())],
  ['Elasticsearch', 8, async () => indicesOn(await sharedElasticsearch())],
] as const satisfies readonly (readonly [string, number, () => Promise<RunStore>])[])(
  'SIGKILLs under load lose and double nothing on %s',
  { timeout: TIMEOUT_MS },
  async (title, kills, open) => {
    const deadline = Date.now() + KILLING_MS;
    const report = await killRun({ title, store: await open(), seed: 20_261_123, kills, deadline });
    console.log(textOf(report));
    expect(report.violations).toEqual([]);
    expect(report.kills).toBeGreaterThan(kills / 4);
    // Elasticsearch is so quick at times that no segment is left to tear.
    if (title === 'DuckDB') expect(report.tornEnds).toBeGreaterThan(0);
    expect(report.comparison).toMatchObject({ lost: 0, double: 0, unknown: 0 });
    expect(report.acknowledged).toBeGreaterThan(1_000);
  },
);

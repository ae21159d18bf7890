// A short slice of `npm run fuzz`, always with the same seed.
import { expect, test } from 'vitest';
import { fuzzRun, textOf } from './fuzz-run.ts';

const REQUESTS = 20_000;
const FUZZING_MS = 30_000;
/** In so short a time the collector is hardly warm. */
const GROWTH_MB_MAX = 250;

test('hostile requests neither end the collector nor make it fail', async () => {
  const report = await fuzzRun({
    seed: 20_261_123,
    requests: REQUESTS,
    deadline: Date.now() + FUZZING_MS,
    growthMbMax: GROWTH_MB_MAX,
  });
  console.log(textOf(report));
  expect(report.violations).toEqual([]);
  expect(report.accepted).toBeGreaterThan(100);
  expect(report.statuses['202']).toBeGreaterThan(100);
  expect(report.statuses['400']).toBeGreaterThan(100);
});

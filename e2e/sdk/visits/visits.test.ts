// A short slice of `npm run chaos:visits`, in Chromium, always with the same seed.
import { expect, test } from 'vitest';

import { textOf } from './verdict-text.ts';
import { visitsRun } from './visits-run.ts';

const VISITS = 40;
const VISITING_MS = 60_000;
const TIMEOUT_MS = 300_000;

test(
  'of what visitors leave behind under faults, nothing is doubled, and nothing lost unseen',
  { timeout: TIMEOUT_MS },
  async () => {
    const verdict = await visitsRun({
      seed: 20_261_124,
      visits: VISITS,
      engines: { chromium: 1 },
      lanes: { chromium: 12 },
      deadline: Date.now() + VISITING_MS,
    });
    console.log(textOf(verdict));
    expect(verdict.violations).toEqual([]);
    expect(verdict.audit.stored).toBeGreaterThan(100);
    expect(verdict.ticks['503']).toBeGreaterThan(0);
  },
);

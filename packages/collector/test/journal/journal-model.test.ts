import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { CASES } from './journal-cases.ts';
import { JournalModel, type Step } from './journal-model.ts';

const RUNS = 300;

const small = fc.nat({ max: 12 });
const consumer = fc.nat({ max: 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      lengths: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'settle' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('crash' as const), after: small, seed: fc.integer() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), after: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), seed: fc.integer() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      after: small,
      times: fc.integer({ min: 1, max: 4 }),
      code: fc.constantFrom('EIO' as const, 'ENOSPC' as const),
      part: fc.constantFrom(0, 0.3, 0.9, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('capacity' as const),
      freeBytes: fc.constantFrom(0, 100, 700, 5000, Number.POSITIVE_INFINITY),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'roll' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'consume' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 1100, 3_600_000, 86_400_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      consumer,
      eventsMax: fc.integer({ min: 1, max: 20 }),
      bytesMax: fc.integer({ min: 1, max: 4000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), consumer }) },
);

describe('the journal on a disk that crashes, fails and fills up', () => {
  it('keeps what it acknowledged, in order, without gaps, nothing twice', async () => {
    const steps = fc.array(step, { maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, (run) => new JournalModel().run(run)),
      { numRuns: RUNS },
    );
  });

  it.each(CASES)('$name', async ({ steps }) => {
    await new JournalModel().run(steps);
  });
});

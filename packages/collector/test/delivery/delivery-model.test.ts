import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { CASES } from './delivery-cases.ts';
import { DeliveryModel, type Step } from './delivery-model.ts';
import type { Trouble } from './memory-store.ts';

const RUNS = 150;

const event = fc.record({
  id: fc.nat({ max: 30 }),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('good' as const) },
    { weight: 1, arbitrary: fc.constantFrom('bad' as const, 'poison' as const) },
  ),
});
const trouble = fc.constantFrom<Trouble[]>('before', 'between', 'after', 'bug');
const after = fc.nat({ max: 12 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      events: fc.array(event, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('trouble' as const),
      troubles: fc.array(trouble, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ticks: fc.nat({ max: 30 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      after,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), after }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('cut' as const), after, seed: fc.integer() }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'roll' as const }) },
);

describe('delivery from a disk that fails to a store that fails', () => {
  it('stores or rejects each acknowledged event once, and audit agrees', async () => {
    const steps = fc.array(step, { maxLength: 25, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, (run) => new DeliveryModel().run(run)),
      { numRuns: RUNS },
    );
  });

  it.each(CASES)('$name', async ({ steps }) => {
    await new DeliveryModel().run(steps);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeStretches, type Stretch } from '../../../src/store/duckdb/twins.ts';

/** Sorted stretches that do not overlap, as the hours of a batch are. */
const stretchesArb = fc
  .uniqueArray(fc.nat(10_000), { maxLength: 60 })
  .map((ends) => ends.toSorted((a, b) => a - b))
  .map((ends) =>
    ends.flatMap((from, index): Stretch[] =>
      index % 2 === 0 ? [{ from, to: ends[index + 1] ?? from }] : [],
    ),
  );

describe('stretches of time', () => {
  it('are joined over the smallest gaps', () => {
    const hours = [1, 2, 50, 51, 99].map((from) => ({ from, to: from }));
    expect(mergeStretches(hours, 3)).toEqual([
      { from: 1, to: 2 },
      { from: 50, to: 51 },
      { from: 99, to: 99 },
    ]);
    expect(mergeStretches(hours, 1)).toEqual([{ from: 1, to: 99 }]);
    expect(mergeStretches([], 3)).toEqual([]);
  });

  it('cover all that they were, in order, in no more than the most', () => {
    fc.assert(
      fc.property(stretchesArb, fc.integer({ min: 1, max: 20 }), (stretches, max) => {
        const merged = mergeStretches(stretches, max);
        expect(merged.length).toBeLessThanOrEqual(max);
        for (const { from, to } of stretches) {
          expect(merged.some((one) => one.from <= from && to <= one.to)).toBe(true);
        }
        for (const [index, { from }] of merged.entries()) {
          expect(from).toBeGreaterThan(merged[index - 1]?.to ?? -1);
        }
      }),
    );
  });
});

import { MetronomeError } from '../errors.ts';
import { nearestFew } from '../query/nearest.ts';

/**
 * The rollups that an operator calls by a name: one, or several where a declared query is called
 * as one that every store keeps.
 *
 * @throws MetronomeError `not-found` with the nearest names where there is none.
 */
export function rollupsCalled<T extends { readonly title: string }>(
  name: string,
  rollups: readonly T[],
): readonly T[] {
  const called = rollups.filter(({ title }) => title === name);
  if (called.length > 0) return called;
  const near = nearestFew(
    name,
    rollups.map(({ title }) => title),
  );
  const hint =
    near.length === 0 ? 'metronome rollups lists them.' : `did you mean ${near.join(' or ')}?`;
  throw new MetronomeError('not-found', `There is no rollup ${JSON.stringify(name)}; ${hint}`);
}

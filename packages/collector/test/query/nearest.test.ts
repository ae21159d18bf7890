import { expect, it } from 'vitest';
import { nearest } from '../../src/query/nearest.ts';

it.each([
  ['form', ['to', 'from', 'limit'], 'from'],
  ['FROM', ['to', 'from'], 'from'],
  ['intervall', ['interval', 'limit'], 'interval'],
  ['by', ['to', 'from'], undefined],
  ['nothing like it', ['to', 'from'], undefined],
  ['', [], undefined],
])('nearest to %j in %j is %j', (name, candidates, expected) => {
  expect(nearest(name, candidates)).toBe(expected);
});

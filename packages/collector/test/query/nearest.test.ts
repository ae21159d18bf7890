import { expect, it } from 'vitest';
import { nearest, nearestFew } from '../../src/query/nearest.ts';

it.each([
  ['form', ['to', 'from', 'limit'], 'from'],
  ['FROM', ['to', 'from'], 'from'],
  ['intervall', ['interval', 'limit'], 'interval'],
  ['by', ['to', 'from'], undefined],
  ['pirce', ['source', 'price'], 'price'],
  ['nothing like it', ['to', 'from'], undefined],
  ['', [], undefined],
])('nearest to %j in %j is %j', (name, candidates, expected) => {
  expect(nearest(name, candidates)).toBe(expected);
});

it('names several that are about as near, and none that is further', () => {
  expect(nearestFew('itme', ['duration', 'time', 'item', 'title'])).toEqual([
    'time',
    'item',
    'title',
  ]);
  expect(nearestFew('pirce', ['source', 'price'])).toEqual(['price']);
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBoundedCache } from '../../src/intake/bounded-cache.ts';

describe('a bounded cache', () => {
  it('never gives a wrong value, and holds no more than its bound', () => {
    const keys = fc.array(fc.nat(30).map(String), { maxLength: 300 });
    fc.assert(
      fc.property(keys, (asked) => {
        const cache = createBoundedCache<string>(8, 10);
        for (const key of asked) {
          expect([undefined, `value ${key}`]).toContain(cache.get(key));
          if (cache.get(key) === undefined) cache.set(key, `value ${key}`);
        }
        const held = [...new Set(asked)].filter((key) => cache.get(key) !== undefined);
        expect(held.length).toBeLessThanOrEqual(8);
      }),
    );
  });

  it('keeps what is asked for again and again', () => {
    const cache = createBoundedCache<number>(8, 10);
    cache.set('often', 1);
    for (let n = 0; n < 100; n++) {
      expect(cache.get('often')).toBe(1);
      cache.set(`once ${n}`, n);
    }
    expect(cache.get('once 0')).toBeUndefined();
  });

  it('keeps no long key', () => {
    const cache = createBoundedCache<number>(8, 3);
    cache.set('long', 1);
    expect(cache.get('long')).toBeUndefined();
  });
});

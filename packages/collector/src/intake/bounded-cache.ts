/** A map that forgets what was not asked for lately; holds at most `entriesMax`. */
export interface BoundedCache<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

/**
 * Two generations: what is asked for moves to the young one, and when that is full the old one
 * goes. Half the bookkeeping of an exact LRU, since a hit on a young entry moves nothing.
 *
 * Keys longer than `keyLengthMax` are not kept, so that the memory has a bound as well.
 */
export function createBoundedCache<V>(entriesMax: number, keyLengthMax: number): BoundedCache<V> {
  const generationMax = Math.ceil(entriesMax / 2);
  let young = new Map<string, V>();
  let old = new Map<string, V>();

  const set = (key: string, value: V): void => {
    if (key.length > keyLengthMax) return;
    if (young.size >= generationMax) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const kept = old.get(key);
      if (kept !== undefined) set(key, kept);
      return kept;
    },
    set,
  };
}

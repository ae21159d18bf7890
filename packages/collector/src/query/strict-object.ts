import { z } from 'zod';
import { hintFor } from './nearest.ts';

/** A schema of an object of these members alone; a misspelt one is told what it may have been. */
export function strictObject<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: ({ code, keys }) => {
      if (code === 'invalid_type') return 'must be an object';
      if (code !== 'unrecognized_keys' || !Array.isArray(keys)) return undefined;
      const name = String(keys[0]);
      return `there is no ${JSON.stringify(name)} here: ${hintFor(name, Object.keys(shape))}`;
    },
  });
}

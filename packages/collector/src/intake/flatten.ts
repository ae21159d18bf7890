import type { Refusal } from './refusals.ts';
import { REFUSALS } from './refusals.ts';
import { cleaned } from './text.ts';
import type { EventLimits } from './options.ts';

export type Scalar = string | number | boolean;
type Flat = ReadonlyMap<string, Scalar | readonly Scalar[]>;

/** Whether a value is an array of more than scalars. */
export function hasObjects(value: unknown): boolean {
  return Array.isArray(value) && value.some((part) => typeof part === 'object' && part !== null);
}

/**
 * Nested objects with dots: `{"a":{"b":1}}` is `a.b`, and of several values for one name the
 * last wins. Objects in an array are laid over each other, as Elasticsearch does it:
 * `{"a":[{"b":1},{"b":2}]}` is `a.b` with two values. Nulls are gone.
 */
export function flatten(event: object, limits: EventLimits): Flat | Refusal {
  const flat = new Map<string, Scalar | Scalar[]>();

  const add = (key: string, value: Scalar, several: boolean): Refusal | undefined => {
    const name = cleaned(key);
    const present = several ? flat.get(name) : undefined;
    if (!Array.isArray(present)) {
      flat.set(name, several ? [value] : value);
      return flat.size > limits.keysMax ? REFUSALS.tooManyKeys : undefined;
    }
    present.push(value);
    return present.length > limits.arrayValuesMax ? REFUSALS.tooManyValues : undefined;
  };

  const visit = (
    name: string,
    value: unknown,
    depth: number,
    several: boolean,
  ): Refusal | undefined => {
    if (value === null) return undefined;
    if (typeof value !== 'object') return add(name, value as Scalar, several);
    if (depth > limits.nestingMax) return REFUSALS.tooDeep;
    if (Array.isArray(value)) {
      if (!several) flat.delete(name);
      for (const part of value) {
        const refusal = visit(name, part, depth + 1, true);
        if (refusal !== undefined) return refusal;
      }
      return undefined;
    }
    return members(value, `${name}.`, depth + 1, several);
  };

  const members = (
    value: object,
    prefix: string,
    depth: number,
    several: boolean,
  ): Refusal | undefined => {
    for (const [key, part] of Object.entries(value)) {
      const refusal = visit(prefix + key, part, depth, several);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };

  return members(event, '', 1, false) ?? flat;
}

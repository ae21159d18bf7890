import { describe, expect, it } from 'vitest';
import { queryCases } from './cases/all-cases.ts';
import { catalogueAtRest } from './cases/catalogue.ts';
import { evaluate } from './evaluate.ts';

describe('the oracle', () => {
  it.each(queryCases)('answers $name', ({ query, rows }) => {
    expect(evaluate(query, catalogueAtRest)).toEqual(rows);
  });

  it('has a name of its own for each case', () => {
    const names = queryCases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

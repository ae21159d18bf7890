import type { Measure, Query } from '../../query/query.ts';
import type { Expressions } from './expressions.ts';
import type { RollupValue } from './rollup.ts';

/** A value that a measure is made of, and the SQL that gives it for one event. */
export interface Partial extends RollupValue {
  readonly sql: string;
}

/** What measures are made of: the first of `v0`, or `v0` and `v0n` for an average, … */
export function partialsOf(
  measures: Query['measures'],
  expressions: Expressions,
): readonly Partial[] {
  return Object.values(measures).flatMap((measure, index) =>
    partialsOfOne(measure, `v${index}`, expressions),
  );
}

/** A measure from its partials, merged. */
export function merged({ kind }: Measure, index: number): string {
  const name = `v${index}`;
  switch (kind) {
    case 'count':
      return `CAST(coalesce(sum(${name}), 0) AS BIGINT)`;
    case 'sum':
      return `coalesce(sum(${name}), 0)`;
    case 'average':
      return `sum(${name}) / sum(${name}n)`;
    case 'min':
    case 'max':
      return `${kind}(${name})`;
    case 'distinct':
    case 'percentile':
      throw new Error(`there is no rollup of a ${kind}`);
  }
}

function partialsOfOne(
  measure: Measure,
  name: string,
  expressions: Expressions,
): readonly Partial[] {
  const where = measure.where && expressions.filter(measure.where);
  const held = (sql: string): string =>
    where === undefined ? sql : `CASE WHEN ${where} THEN ${sql} END`;
  if (measure.kind === 'count') {
    return [{ name, type: 'BIGINT', merge: 'sum', sql: `coalesce(${held('1')}, 0)` }];
  }
  const { sql, many } = expressions.numbers(measure.field);
  const value = (list: string): string => held(many ? `list_${list}(${sql})` : sql);
  switch (measure.kind) {
    case 'sum':
      return [{ name, type: 'DOUBLE', merge: 'sum', sql: value('sum') }];
    case 'average': {
      const count = held(many ? `len(${sql})` : `CASE WHEN ${sql} IS NOT NULL THEN 1 END`);
      return [
        { name, type: 'DOUBLE', merge: 'sum', sql: value('sum') },
        { name: `${name}n`, type: 'BIGINT', merge: 'sum', sql: count },
      ];
    }
    case 'min':
    case 'max':
      return [{ name, type: 'DOUBLE', merge: measure.kind, sql: value(measure.kind) }];
    case 'distinct':
    case 'percentile':
      throw new Error(`there is no rollup of a ${measure.kind}`);
  }
}

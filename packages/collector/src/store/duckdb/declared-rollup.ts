import { createHash } from 'node:crypto';
import { FIELDS } from '../../event.ts';
import type { DeclaredQuery, DeclaredRows } from '../../query/declared.ts';
import { compileParts } from './compile.ts';
import {
  DAY_MS,
  type DeclaredRollup as Declared,
  FIELDS_OF_DECLARED,
  QUARTER_MS,
} from './rollup-plan.ts';
import { finestMs, type Rollup, slotSql } from './rollup.ts';
import { quoted } from './schema.ts';
import { inlined } from './session.ts';

export type DeclaredRollup = Rollup & Declared;

/**
 * The rollups of the declared queries that ask for one: by day, and where they have time among
 * their dimensions by quarter hour too. Queries that differ in names, order or limit alone share one.
 */
export function declaredRollups(
  queries: Readonly<Record<string, DeclaredQuery>>,
): readonly DeclaredRollup[] {
  const rollups = Object.entries(queries).flatMap(([title, query]) =>
    'rollup' in query && query.rollup ? [rollupOf(title, query)] : [],
  );
  return Map.groupBy(rollups, ({ name }) => name)
    .values()
    .flatMap(([first, ...others]) => {
      const title = [first, ...others].map((one) => one?.title).join(', ');
      return first ? [{ ...first, title }] : [];
    })
    .toArray();
}

function rollupOf(title: string, query: DeclaredRows): DeclaredRollup {
  const { groups, values, ...parts } = compileParts(query);
  const perEvent = inlined(parts) ?? parts.sql;
  const hasTime = Object.values(query.dimensions ?? {}).some(({ kind }) => kind === 'time');
  const shape = [Object.values(query.measures), hasTime];
  const name = `declared_${createHash('md5')
    .update(JSON.stringify([shape, perEvent]))
    .digest('hex')
    .slice(0, 16)}`;
  const all = [...FIELDS_OF_DECLARED.map((field) => quoted(FIELDS[field].at)), ...groups];
  const tables = [DAY_MS, ...(hasTime ? [QUARTER_MS] : [])].map((stepMs) => ({
    name: `rollup_${name}_${stepMs === DAY_MS ? 'days' : 'quarters'}`,
    stepMs,
    groups: all,
    values,
    sortedBy: 'item' as const,
  }));
  const merged = values.map((one) => `${one.merge}(${one.name}) AS ${one.name}`);
  return {
    name,
    title,
    query,
    tables,
    source: (where) => `WITH counted AS (SELECT * FROM events WHERE ${where})
SELECT ${[...all, `${slotSql(finestMs({ tables }))} AS slot`, ...merged].join(', ')}
FROM (${perEvent}) GROUP BY ALL`,
  };
}

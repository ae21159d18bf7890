import { hash } from 'node:crypto';
import { FIELDS } from '../../event.ts';
import { partsOf, shapeOf } from '../../query/beyond-declared.ts';
import type { DeclaredQuery, DeclaredRows } from '../../query/declared.ts';
import { orderRows } from '../../query/order-rows.ts';
import type { Measure, Query, Row } from '../../query/query.ts';
import { type Asked, type Part, textPath } from './compile.ts';
import { DAY_MS, type Group, QUARTER_MS, type Rollup } from './rollup.ts';

/** The rollup of a query that is declared with one. */
export interface DeclaredRollup extends Rollup {
  readonly query: DeclaredRows;
}

/** What a request may ask of a declared query beyond its own filter. */
export const FIELDS_OF_DECLARED = ['app', 'item', 'bot'] as const;

/**
 * The rollups of the declared queries that ask for one: by day, and where they have time among
 * their dimensions by quarter hour too. Queries that differ in names, order or limit alone share one.
 */
export function declaredRollups(
  queries: Readonly<Record<string, DeclaredQuery>>,
): readonly DeclaredRollup[] {
  const rollups = Object.entries(queries).flatMap(([title, query]) =>
    'rollup' in query && query.rollup && canBeCounted(query) ? [rollupOf(title, query)] : [],
  );
  return Map.groupBy(rollups, ({ name }) => name)
    .values()
    .flatMap((alike) => {
      const title = alike.map((one) => one.title).join(', ');
      return alike.slice(0, 1).map((one) => ({ ...one, title }));
    })
    .toArray();
}

/** A document of a count has one value of each field; events may have several, in any combination. */
function canBeCounted({ dimensions = {} }: DeclaredRows): boolean {
  const paths = pathsOf(dimensions).map(({ at }) => at);
  return new Set(paths).size === paths.length;
}

function rollupOf(title: string, query: DeclaredRows): DeclaredRollup {
  const { dimensions = {}, filter } = query;
  const hasTime = Object.values(dimensions).some(({ kind }) => kind === 'time');
  const definition = JSON.stringify([shapeOf(query), partsOf(filter)]);
  const name = `declared_${hash('sha256', definition).slice(0, 16)}`;
  const own = pathsOf(dimensions);
  const others = FIELDS_OF_DECLARED.map((field): Group => ({ at: FIELDS[field].at })).filter(
    ({ at }) => own.every((group) => group.at !== at),
  );
  const table = {
    groups: [...others, ...own],
    values: valuesOf(query),
    ...(filter && { filter }),
  };
  const tables = [DAY_MS, ...(hasTime ? [QUARTER_MS] : [])].map((stepMs) => {
    const place = `${name}_${stepMs === DAY_MS ? 'days' : 'quarters'}`;
    return { name: place, place, stepMs, ...table };
  });
  return { name, title, query, tables };
}

function pathsOf(dimensions: NonNullable<Query['dimensions']>): readonly Group[] {
  return Object.values(dimensions).flatMap((one) =>
    one.kind === 'field'
      ? [{ at: textPath(one.field), isRequired: one.missing === undefined }]
      : [],
  );
}

/** What is kept of the events: of measures that are no plain counts their parts. */
function valuesOf(query: DeclaredRows): Asked['measures'] {
  const parts = Object.entries(partsOfMeasures(query));
  return Object.fromEntries(parts.filter(([, part]) => !isPlainCount(part)));
}

/** Names that no dimension can have. */
const partName = (index: number): string => `_m${index}`;
const numberName = (index: number): string => `_n${index}`;

/** A query for what its rows are made of: parts that can be added, or of which one is taken. */
export function queryOfParts(query: Query): Asked {
  const { order: _, limit: __, ...all } = query;
  return { ...all, measures: partsOfMeasures(query) };
}

function partsOfMeasures({ measures }: Pick<Query, 'measures'>): Asked['measures'] {
  const parts = Object.values(measures).flatMap((measure, index): [string, Part][] => {
    if (measure.kind !== 'average') return [[partName(index), measure]];
    return [
      [partName(index), { ...measure, kind: 'sum' }],
      [numberName(index), { ...measure, kind: 'values' }],
    ];
  });
  return Object.fromEntries(parts);
}

/** The same of counts, which keep each part as a number of its name. */
export function queryOfCounts(query: Query): Asked {
  const { measures, ...all } = queryOfParts(query);
  const counted = Object.entries(measures).map(([field, part]): [string, Measure] => {
    if (isPlainCount(part)) return [field, { kind: 'count' }];
    const isOne = part.kind === 'min' || part.kind === 'max';
    return [field, { kind: isOne ? part.kind : 'sum', field }];
  });
  return { ...all, measures: Object.fromEntries(counted) };
}

function isPlainCount({ kind, where }: Part): boolean {
  return kind === 'count' && where === undefined;
}

/** The query's rows out of rows of parts, of which several may be of the same groups. */
export function rowsOfParts(query: Query, rows: readonly Row[]): readonly Row[] {
  const { dimensions = {}, measures } = query;
  const names = Object.keys(dimensions);
  const groups = Map.groupBy(rows, (row) => JSON.stringify(names.map((name) => row[name])));
  const whole = [...groups.values()].map((alike) => ({
    ...Object.fromEntries(names.map((name) => [name, alike[0]?.[name] ?? null])),
    ...Object.fromEntries(
      Object.entries(measures).map(([name, { kind }], index) => {
        const part = partName(index);
        if (kind === 'min' || kind === 'max') return [name, extremeOf(kind, alike, part)];
        const sum = sumOf(alike, part);
        if (kind !== 'average') return [name, sum];
        const values = sumOf(alike, numberName(index));
        return [name, values === 0 ? null : sum / values];
      }),
    ),
  }));
  return orderRows(whole, query);
}

function sumOf(rows: readonly Row[], name: string): number {
  return rows.reduce((sum, row) => sum + Number(row[name] ?? 0), 0);
}

function extremeOf(kind: 'min' | 'max', rows: readonly Row[], name: string): number | null {
  const values = rows.map((row) => row[name] ?? null).filter((value) => value !== null);
  return values.length === 0 ? null : Math[kind](...values.map(Number));
}

import { resolveField } from './field.ts';
import type { Dimension, Filter, Query, Row } from './query.ts';

/**
 * Asks a query, which is checked: one with `others` in two steps. What is in no row is found by a
 * filter, so that each measure is as exact as ever, and an event of several values is never
 * in a row and among the others.
 */
export async function askWithOthers(
  query: Query,
  ask: (query: Query) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const { others, limit = 0, ...whole } = query;
  if (others === undefined) return ask(query);
  const [name = ''] = Object.keys(query.dimensions ?? {});
  const rows = await ask({ ...whole, limit });
  const shown = rows.filter((row) => row[name] !== others);
  if (rows.length < limit && shown.length === rows.length) return rows;
  const rest = restOf(query, shown);
  const [row = {}] = await ask(rest);
  const { [nameOfCount(query)]: events, ...measures } = row;
  return events === 0 ? shown : [...shown, { [name]: others, ...measures }];
}

/** The queries that it is asked in, as far as they are known before the first is answered. */
export function stepsOf(query: Query): readonly Query[] {
  return query.others === undefined ? [query] : [query, restOf(query, [])];
}

/** A query for the events that are in none of the rows; it counts them too. */
function restOf(query: Query, rows: readonly Row[]): Query {
  const { filter, measures, range, timeZone } = query;
  const own = Object.entries(query.dimensions ?? {}).flatMap(([name, dimension]) => {
    const shown = rows.map((row) => String(row[name]));
    return dimension.kind === 'field' ? filtersOf(dimension, shown) : [];
  });
  return {
    measures: { ...measures, [nameOfCount(query)]: { kind: 'count' } },
    filter: { kind: 'and', filters: [...(filter ? [filter] : []), ...own] },
    range,
    ...(timeZone !== undefined && { timeZone }),
  };
}

type FieldDimension = Extract<Dimension, { kind: 'field' }>;

function filtersOf(
  { field, missing }: FieldDimension,
  shown: readonly string[],
): readonly Filter[] {
  const isMissingOther = missing !== undefined && !shown.includes(missing);
  return [
    { kind: 'not', filter: { kind: 'in', field, values: valuesOf(field, shown) } },
    ...(isMissingOther ? [] : [{ kind: 'exists', field } as const]),
  ];
}

/** A flag is a text in rows; what is missing may be called otherwise. */
function valuesOf(name: string, shown: readonly string[]): readonly (string | boolean)[] {
  const field = resolveField(name);
  if (field.kind === 'application' || field.type !== 'boolean') return shown;
  return [true, false].filter((value) => shown.includes(String(value)));
}

/** A name that no measure has. */
function nameOfCount({ measures }: Query): string {
  let name = 'events';
  while (Object.hasOwn(measures, name)) name += '_';
  return name;
}

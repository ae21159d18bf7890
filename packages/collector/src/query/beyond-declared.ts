import type { DeclaredRows } from './declared.ts';
import { fieldsOf } from './fields-of.ts';
import type { Filter, Query } from './query.ts';

/**
 * What a query asks beyond a declared one, of the fields that are `known`; undefined where it asks
 * something else: then what is counted ahead for the declared query does not answer it.
 */
export function beyondDeclared(
  query: Query,
  declared: DeclaredRows,
  known: readonly string[],
): Filter | undefined {
  if (shapeOf(query) !== shapeOf(declared)) return undefined;
  const own = partsOf(declared.filter).map((part) => JSON.stringify(part));
  const asked = partsOf(query.filter);
  const names = new Set(asked.map((part) => JSON.stringify(part)));
  if (!own.every((part) => names.has(part))) return undefined;
  const filters = asked.filter((part) => !own.includes(JSON.stringify(part)));
  const isKnown = filters.flatMap(fieldsOf).every((field) => known.includes(field));
  return isKnown ? { kind: 'and', filters } : undefined;
}

/** Measures and dimensions, whatever their names; of time the interval is the request's. */
export function shapeOf({
  measures,
  dimensions = {},
}: Pick<Query, 'measures' | 'dimensions'>): string {
  const shapes = Object.values(dimensions).map((one) => (one.kind === 'time' ? one.kind : one));
  return JSON.stringify([Object.values(measures), shapes]);
}

/** The filters that must all hold. */
export function partsOf(filter: Filter | undefined): readonly Filter[] {
  if (filter?.kind === 'and') return filter.filters;
  return filter === undefined ? [] : [filter];
}

import { z } from 'zod';
import { resolveField } from '../query/field.ts';
import type { Dimension, Interval, Measure, Query, Row } from '../query/query.ts';
import type { Answer } from './answer.ts';
import { countSchema, instantSchema } from './schemas.ts';

type Shaped = Pick<Query, 'measures' | 'dimensions' | 'timeZone'>;

/**
 * Rows as an answer, always by the same rule: without dimensions an object of the measures; with
 * one dimension and one measure an object keyed by the dimension, in the order of the rows; else
 * a list of objects. Time buckets are named (see `bucketName`), instants are ISO 8601 in UTC.
 */
export function shapeRows(query: Shaped, rows: readonly Row[]): Answer {
  const [dimension, ...others] = Object.entries(query.dimensions ?? {});
  const [measure, ...more] = Object.entries(query.measures);
  if (dimension === undefined) return measuresOf(query, rows[0] ?? {});
  if (others.length > 0 || more.length > 0 || measure === undefined) {
    return rows.map((row) => ({ ...keysOf(query, row), ...measuresOf(query, row) }));
  }
  const [[key, keyed], [name, counted]] = [dimension, measure];
  return new Map(
    rows.map((row) => [
      String(keyOf(keyed, row[key] ?? null, query.timeZone)),
      measured(counted, row[name]),
    ]),
  );
}

/** What `shapeRows` makes of a query's rows. */
export function rowsSchema({ measures, dimensions = {} }: Shaped): z.ZodType {
  const values = Object.entries(measures).map(([name, one]) => [name, measureSchema(one)] as const);
  const keys = Object.entries(dimensions).map(([name, one]) => [name, keySchema(one)] as const);
  const [dimension, ...others] = keys;
  const [measure, ...more] = values;
  if (dimension === undefined) return z.object(Object.fromEntries(values));
  if (others.length > 0 || more.length > 0 || measure === undefined) {
    return z.array(z.object(Object.fromEntries([...keys, ...values])));
  }
  return z.record(z.string(), measure[1]).describe(`\`${measure[0]}\` by \`${dimension[0]}\``);
}

function keySchema(dimension: Dimension): z.ZodType {
  if (dimension.kind === 'time') return z.string();
  const field = resolveField(dimension.field);
  return field.kind === 'known' && field.type === 'number' ? z.number() : z.string();
}

function measureSchema(measure: Measure): z.ZodType {
  switch (measure.kind) {
    case 'count':
    case 'distinct':
      return countSchema;
    case 'sum':
      return z.number();
    case 'min':
    case 'max':
      return isInstant(measure.field) ? instantSchema.nullable() : z.number().nullable();
    case 'average':
    case 'percentile':
      return z.number().nullable();
  }
}

function keysOf({ dimensions = {}, timeZone }: Shaped, row: Row): Record<string, Answer> {
  return Object.fromEntries(
    Object.entries(dimensions).map(([name, dimension]) => [
      name,
      keyOf(dimension, row[name] ?? null, timeZone),
    ]),
  );
}

function keyOf(dimension: Dimension, value: Row[string], timeZone = 'UTC'): string | number | null {
  return dimension.kind === 'time'
    ? bucketName(Number(value), dimension.interval, timeZone)
    : value;
}

function measuresOf({ measures }: Shaped, row: Row): Record<string, Answer> {
  return Object.fromEntries(
    Object.entries(measures).map(([name, measure]) => [name, measured(measure, row[name])]),
  );
}

function measured(measure: Measure, value: Row[string] | undefined): string | number | null {
  if (measure.kind !== 'min' && measure.kind !== 'max') return value ?? null;
  const isTime = isInstant(measure.field);
  return isTime && typeof value === 'number' ? new Date(value).toISOString() : (value ?? null);
}

function isInstant(name: string): boolean {
  const field = resolveField(name);
  return field.kind === 'known' && field.type === 'time';
}

/** `2026-11-23T14:00+01:00`, `2026-11-23` for a day or the Monday of a week, `2026-11`. */
export function bucketName(start: number, interval: Interval, timeZone: string): string {
  const at = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(timeZone);
  switch (interval) {
    case 'minute':
    case 'hour':
      return at.toString({ smallestUnit: 'minute', timeZoneName: 'never' });
    case 'day':
    case 'week':
      return at.toPlainDate().toString();
    case 'month':
      return at.toPlainDate().toPlainYearMonth().toString();
  }
}

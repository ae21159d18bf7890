import type { FieldType } from '../event.ts';
import { MetronomeError } from '../errors.ts';
import { resolveField } from './field.ts';
import {
  QUERY_LIMITS,
  type Dimension,
  type Filter,
  type Measure,
  type Query,
  type Range,
} from './query.ts';
import { canonicalTimeZone } from './time-zone.ts';

/** Types that an operation works on; an application key is text and, where it has one, a number. */
const TEXT: readonly FieldType[] = ['keyword'];
const NUMBERS: readonly FieldType[] = ['number'];
const ORDERED: readonly FieldType[] = ['number', 'time'];
const GROUPED: readonly FieldType[] = ['keyword', 'number', 'boolean'];

/** Names go into SQL aliases, aggregation names and object keys. */
const NAME = /^[a-z][a-z0-9_]{0,63}$/i;

/**
 * Checks what the types cannot say, before a store compiles the query. Both stores call it, so
 * that no answer depends on the engine. Throws `bad-request` with a sentence that says what to do.
 */
export function checkQuery(query: Query): void {
  const { range, limit, timeZone, dimensions = {} } = query;
  checkRange(range);
  if (timeZone !== undefined && canonicalTimeZone(timeZone) === undefined) {
    refuse(`unknown time zone \`${timeZone}\`: give an IANA name such as Europe/Berlin`);
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
    refuse(`limit must be a whole number from 1 to ${QUERY_LIMITS.rowsMax}`);
  }
  if (limit !== undefined && limit > QUERY_LIMITS.rowsMax) {
    refuse(`limit is at most ${QUERY_LIMITS.rowsMax}`);
  }
  checkNames(query);
  for (const measure of Object.values(query.measures)) checkMeasure(measure);
  for (const dimension of Object.values(dimensions)) checkDimension(dimension);
  if (query.filter) checkFilter(query.filter);
}

export function checkRange({ from, to }: Range): void {
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to))) {
    refuse('a range needs `from` and `to` in whole epoch milliseconds');
  }
  if (from > to) refuse('the range ends before it begins: swap `from` and `to`');
}

function checkNames(query: Query): void {
  const measures = Object.keys(query.measures);
  if (measures.length === 0) refuse('a query needs a measure');
  const names = [...measures, ...Object.keys(query.dimensions ?? {})];
  for (const name of names) {
    if (!NAME.test(name)) {
      refuse(`\`${name}\` cannot name a measure or dimension: use letters, digits and _`);
    }
  }
  if (new Set(names).size < names.length) refuse('measures and dimensions need different names');
  for (const { by } of query.order ?? []) {
    if (!names.includes(by)) refuse(`cannot order by \`${by}\`: order by ${names.join(', ')}`);
  }
}

function checkMeasure(measure: Measure): void {
  if (measure.where) checkFilter(measure.where);
  switch (measure.kind) {
    case 'count':
    case 'distinct':
      return;
    case 'min':
    case 'max':
      return checkField(measure.field, ORDERED, measure.kind);
    case 'sum':
    case 'average':
      return checkField(measure.field, NUMBERS, measure.kind);
    case 'percentile':
      if (!(measure.at >= 0 && measure.at <= 100)) refuse('a percentile lies in 0 to 100');
      return checkField(measure.field, NUMBERS, measure.kind);
  }
}

function checkDimension(dimension: Dimension): void {
  if (dimension.kind === 'time') return;
  checkField(dimension.field, GROUPED, 'group by value');
  if (dimension.missing !== undefined) {
    checkField(dimension.field, ['keyword', 'boolean'], 'name the missing');
  }
}

export function checkFilter(filter: Filter): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const part of filter.filters) checkFilter(part);
      return;
    case 'not':
      return checkFilter(filter.filter);
    case 'exists':
      return;
    case 'prefix':
      return checkField(filter.field, TEXT, 'prefix');
    case 'range':
      checkField(filter.field, ORDERED, 'range');
      if (filter.gte === undefined && filter.lt === undefined) {
        refuse(`the range of \`${filter.field}\` needs \`gte\` or \`lt\``);
      }
      if (Number.isNaN(filter.gte) || Number.isNaN(filter.lt)) {
        refuse(`the range of \`${filter.field}\` needs numbers`);
      }
      return;
    case 'equals':
      return checkScalar(filter.field, filter.value);
    case 'in':
      for (const value of filter.values) checkScalar(filter.field, value);
  }
}

function checkField(name: string, types: readonly FieldType[], operation: string): void {
  const field = resolveField(name);
  if (field.kind === 'known' && !types.includes(field.type)) {
    refuse(`\`${name}\` is a ${field.type}: ${operation} works on ${types.join(' or ')} fields`);
  }
}

/** Text fields and application keys compare any scalar as text; the others want their own type. */
function checkScalar(name: string, value: unknown): void {
  const field = resolveField(name);
  if (field.kind === 'application' || field.type === 'keyword') return;
  const wanted = field.type === 'boolean' ? 'boolean' : 'number';
  if (typeof value !== wanted)
    refuse(`\`${name}\` is a ${field.type}: compare it with a ${wanted}`);
}

function refuse(message: string): never {
  throw new MetronomeError('bad-request', message);
}

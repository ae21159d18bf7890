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
const TEXT_OR_FLAGS: readonly FieldType[] = ['keyword', 'boolean'];
const NUMBERS: readonly FieldType[] = ['number'];
const ORDERED: readonly FieldType[] = ['number', 'time'];
const GROUPED: readonly FieldType[] = ['keyword', 'number', 'boolean'];

/** Names go into SQL aliases, aggregation names and object keys. */
const NAME = /^[a-z][a-z0-9_]{0,63}$/i;

/** The spot of what is wrong within a question: names of members and places in lists. */
export type Spot = readonly (string | number)[];

/**
 * Checks what the types cannot say, before a store compiles the query. Both stores call it, so
 * that no answer depends on the engine. Throws `bad-request` with a sentence that says what to do,
 * and with the `spot` as an extension where it is a member of the query.
 */
export function checkQuery(query: Query): void {
  const { range, limit, timeZone, dimensions = {} } = query;
  checkRange(range);
  if (timeZone !== undefined && canonicalTimeZone(timeZone) === undefined) {
    refuse(`unknown time zone \`${timeZone}\`: give an IANA name such as Europe/Berlin`);
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
    refuse(`limit must be a whole number from 1 to ${QUERY_LIMITS.rowsMax}`, 'limit');
  }
  if (limit !== undefined && limit > QUERY_LIMITS.rowsMax) {
    refuse(`limit is at most ${QUERY_LIMITS.rowsMax}`, 'limit');
  }
  checkNames(query);
  for (const [name, measure] of Object.entries(query.measures)) {
    checkMeasure(measure, ['measures', name]);
  }
  for (const [name, dimension] of Object.entries(dimensions)) {
    checkDimension(dimension, ['dimensions', name]);
  }
  if (query.filter) checkFilter(query.filter, ['filter']);
  if (query.others !== undefined) checkOthers(query);
}

export function checkRange({ from, to }: Range): void {
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to))) {
    refuse('a range needs `from` and `to` in whole epoch milliseconds');
  }
  if (from > to) refuse('the range ends before it begins: swap `from` and `to`');
}

function checkNames(query: Query): void {
  const measures = Object.keys(query.measures);
  const dimensions = Object.keys(query.dimensions ?? {});
  if (measures.length === 0) refuse('a query needs a measure', 'measures');
  checkName('measures', measures);
  checkName('dimensions', dimensions);
  const twice = dimensions.find((name) => measures.includes(name));
  if (twice !== undefined) {
    refuse('measures and dimensions need different names', 'dimensions', twice);
  }
  const names = [...measures, ...dimensions];
  for (const [index, { by }] of (query.order ?? []).entries()) {
    if (names.includes(by)) continue;
    refuse(`cannot order by \`${by}\`: order by ${names.join(', ')}`, 'order', index, 'by');
  }
}

function checkName(of: string, names: readonly string[]): void {
  for (const name of names) {
    if (NAME.test(name)) continue;
    refuse(`\`${name}\` cannot name a measure or dimension: use letters, digits and _`, of, name);
  }
}

function checkMeasure(measure: Measure, at: Spot): void {
  if (measure.where) checkFilter(measure.where, [...at, 'where']);
  switch (measure.kind) {
    case 'count':
    case 'distinct':
      return;
    case 'min':
    case 'max':
      return checkField(measure.field, ORDERED, measure.kind, at);
    case 'sum':
    case 'average':
      return checkField(measure.field, NUMBERS, measure.kind, at);
    case 'percentile':
      if (!(measure.at >= 0 && measure.at <= 100)) {
        refuse('a percentile lies in 0 to 100', ...at, 'at');
      }
      return checkField(measure.field, NUMBERS, measure.kind, at);
  }
}

function checkDimension(dimension: Dimension, at: Spot): void {
  if (dimension.kind === 'time') return;
  checkField(dimension.field, GROUPED, 'group by value', at);
  if (dimension.missing !== undefined) {
    checkField(dimension.field, TEXT_OR_FLAGS, 'name the missing', at);
  }
}

function checkOthers({ dimensions = {}, limit }: Query): void {
  const [[name, dimension] = [], ...more] = Object.entries(dimensions);
  if (name === undefined || dimension?.kind !== 'field' || more.length > 0) {
    refuse('`others` are those of one dimension, which is a field: use just one', 'others');
  }
  checkField(dimension.field, TEXT_OR_FLAGS, 'name the others', ['dimensions', name]);
  if (limit === undefined) refuse('`others` are beyond a limit: give one', 'others');
  if (limit > QUERY_LIMITS.rowsBesideOthersMax) {
    refuse(`limit is at most ${QUERY_LIMITS.rowsBesideOthersMax} beside \`others\``, 'limit');
  }
}

export function checkFilter(filter: Filter, at: Spot): void {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const [index, part] of filter.filters.entries()) {
        checkFilter(part, [...at, 'filters', index]);
      }
      return;
    case 'not':
      return checkFilter(filter.filter, [...at, 'filter']);
    case 'exists':
      return;
    case 'prefix':
      return checkField(filter.field, TEXT, 'prefix', at);
    case 'range':
      checkField(filter.field, ORDERED, 'range', at);
      if (filter.gte === undefined && filter.lt === undefined) {
        refuse(`the range of \`${filter.field}\` needs \`gte\` or \`lt\``, ...at);
      }
      if (Number.isNaN(filter.gte) || Number.isNaN(filter.lt)) {
        refuse(`the range of \`${filter.field}\` needs numbers`, ...at);
      }
      return;
    case 'equals':
      return checkScalar(filter.field, filter.value, [...at, 'value']);
    case 'in':
      for (const [index, value] of filter.values.entries()) {
        checkScalar(filter.field, value, [...at, 'values', index]);
      }
  }
}

function checkField(name: string, types: readonly FieldType[], operation: string, at: Spot): void {
  const field = resolveField(name);
  if (field.kind === 'known' && !types.includes(field.type)) {
    const message = `\`${name}\` is a ${field.type}: ${operation} works on ${types.join(' or ')} fields`;
    refuse(message, ...at, 'field');
  }
}

/** Text fields and application keys compare any scalar as text; the others want their own type. */
function checkScalar(name: string, value: unknown, at: Spot): void {
  const field = resolveField(name);
  if (field.kind === 'application' || field.type === 'keyword') return;
  const wanted = field.type === 'boolean' ? 'boolean' : 'number';
  if (typeof value !== wanted) {
    refuse(`\`${name}\` is a ${field.type}: compare it with a ${wanted}`, ...at);
  }
}

function refuse(message: string, ...spot: Spot): never {
  const extensions = spot.length === 0 ? {} : { spot: spot.join('.') };
  throw new MetronomeError('bad-request', message, { extensions });
}

import { MetronomeError } from '../errors.ts';
import { FIELDS } from '../event.ts';
import { checkFilter, checkQuery, type Spot } from './check-query.ts';
import type { DeclaredKeys, DeclaredQuery } from './declared.ts';
import { resolveField } from './field.ts';
import { editDistance, nearestFew } from './nearest.ts';
import type { Filter, Measure } from './query.ts';

/** What is wrong with a declaration, and where. */
export interface DeclaredProblem {
  readonly spot: Spot;
  readonly message: string;
}

/** A query is asked for as `/query/NAME.json`. */
const NAME = /^[a-z][a-z0-9_-]{0,63}$/i;

/** The first thing that is wrong with a declared query, beyond its form. */
export function problemOf(
  name: string,
  query: DeclaredQuery,
  keys: DeclaredKeys,
): DeclaredProblem | undefined {
  if (!NAME.test(name)) {
    const message = 'a query is named by letters, digits, - and _, beginning with a letter';
    return { spot: [], message };
  }
  for (const use of usesOf(query)) {
    const message = fieldProblem(use, keys);
    if (message !== undefined) return { spot: use.spot, message };
  }
  return nameProblem(query) ?? questionProblem(query) ?? rollupProblem(query);
}

/** The application's keys that queries use as numbers. */
export function numericKeysOf(
  queries: Readonly<Record<string, DeclaredQuery>>,
  keys: DeclaredKeys,
): readonly string[] {
  const used = Object.values(queries)
    .flatMap((query) => [...usesOf(query)])
    .flatMap(({ name, asNumber }) => {
      const field = resolveField(name);
      return asNumber && field.kind === 'application' ? [field.key] : [];
    });
  const said = Object.keys(keys).filter((name) => keys[name] === 'number');
  return [...new Set([...used, ...said])];
}

/** A field that a query uses. */
interface Use {
  readonly name: string;
  readonly asNumber: boolean;
  readonly spot: Spot;
}

function* usesOf(query: DeclaredQuery): Generator<Use> {
  switch (query.kind) {
    case 'funnel':
      for (const [index, { filter }] of query.steps.entries()) {
        yield* usesOfFilter(filter, ['steps', index, 'filter']);
      }
      return;
    case 'retention':
      if (query.filter) yield* usesOfFilter(query.filter, ['filter']);
      return;
    default:
      for (const [name, measure] of Object.entries(query.measures)) {
        yield* usesOfMeasure(measure, ['measures', name]);
      }
      for (const [name, dimension] of Object.entries(query.dimensions ?? {})) {
        if (dimension.kind === 'time') continue;
        yield { name: dimension.field, asNumber: false, spot: ['dimensions', name, 'field'] };
      }
      if (query.filter) yield* usesOfFilter(query.filter, ['filter']);
  }
}

function* usesOfMeasure(measure: Measure, at: Spot): Generator<Use> {
  if (measure.kind !== 'count') {
    const asNumber = measure.kind !== 'distinct';
    yield { name: measure.field, asNumber, spot: [...at, 'field'] };
  }
  if (measure.where) yield* usesOfFilter(measure.where, [...at, 'where']);
}

function* usesOfFilter(filter: Filter, at: Spot): Generator<Use> {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const [index, part] of filter.filters.entries()) {
        yield* usesOfFilter(part, [...at, 'filters', index]);
      }
      return;
    case 'not':
      return yield* usesOfFilter(filter.filter, [...at, 'filter']);
    default:
      yield { name: filter.field, asNumber: filter.kind === 'range', spot: [...at, 'field'] };
  }
}

/**
 * A name that is no field is a key of the application. It is refused where the configuration lists
 * these and it is not among them, where it is the name at rest of something that queries call by
 * another, and where it is a field's name but for a slip.
 */
function fieldProblem({ name, asNumber }: Use, keys: DeclaredKeys): string | undefined {
  const field = resolveField(name);
  if (field.kind === 'known') return undefined;
  const { key } = field;
  if (Object.hasOwn(keys, key)) {
    if (keys[key] === 'number' || !asNumber) return undefined;
    return `\`${key}\` is a text by \`keys\`, and is used as a number here`;
  }
  const called = nameOf(name);
  if (called !== undefined) return `\`${name}\` is called \`${called}\` in queries`;
  const fields = Object.keys(FIELDS);
  const listed = Object.keys(keys);
  const near =
    listed.length > 0
      ? nearestFew(key, [...listed, ...fields])
      : fields.filter((other) => isSlip(name, other));
  if (near.length === 0 && listed.length === 0) return undefined;
  const hint = near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `;
  return `there is no field ${JSON.stringify(name)}: ${hint}A key of your own is listed under \`keys\``;
}

/** What queries call something that has another name at rest. */
function nameOf(atRest: string): string | undefined {
  const own = /^metrics\.(.+)$/u.exec(atRest)?.[1];
  return own ?? Object.entries(FIELDS).find(([, { at }]) => at === atRest)?.[0];
}

/** Shorter names have too many others but one letter away. */
const SLIP_LENGTH_MIN = 4;

function isSlip(name: string, field: string): boolean {
  if (withoutMarks(name) === withoutMarks(field)) return true;
  return name.length >= SLIP_LENGTH_MIN && editDistance(name, field) === 1;
}

function withoutMarks(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]/gu, '');
}

/** Lines of CSV and NDJSON of several items begin with the `id` of each. */
const TAKEN = 'id';

function nameProblem(query: DeclaredQuery): DeclaredProblem | undefined {
  if (!('measures' in query)) return undefined;
  for (const part of ['measures', 'dimensions'] as const) {
    if (!Object.hasOwn(query[part] ?? {}, TAKEN)) continue;
    const message = `\`${TAKEN}\` names the item in lines of several items: choose another name`;
    return { spot: [part, TAKEN], message };
  }
  return undefined;
}

/** What `checkQuery` finds, which a store would say at the first request. */
function questionProblem(query: DeclaredQuery): DeclaredProblem | undefined {
  try {
    check(query);
    return undefined;
  } catch (error) {
    if (!(error instanceof MetronomeError)) throw error;
    const { spot } = error.extensions;
    return { spot: typeof spot === 'string' ? [spot] : [], message: error.message };
  }
}

/** Fields that tell one visitor from another: an erasure of one would have to find them in counts. */
const PERSONAL: readonly string[] = ['visitor', 'session', 'page'];

/** What cannot be put together from the counts of days, or must not be kept in them. */
function rollupProblem(query: DeclaredQuery): DeclaredProblem | undefined {
  if (!('rollup' in query) || !query.rollup) return undefined;
  const instead = 'change it, or leave out `rollup`';
  if (query.others !== undefined) {
    const message = `what the others are is known when they are asked for, so there is no rollup of them: ${instead}`;
    return { spot: ['others'], message };
  }
  for (const [name, { kind }] of Object.entries(query.measures)) {
    if (kind !== 'distinct' && kind !== 'percentile') continue;
    const what = kind === 'distinct' ? 'distinct counts' : 'percentiles';
    const message = `the ${what} of days do not add up, so there is no rollup of them: ${instead}`;
    return { spot: ['measures', name], message };
  }
  for (const [name, dimension] of Object.entries(query.dimensions ?? {})) {
    if (dimension.kind === 'field' && PERSONAL.includes(dimension.field)) {
      const message = `counts may outlive their events, and must not tell who a visitor was, so there is no rollup by \`${dimension.field}\`: ${instead}`;
      return { spot: ['dimensions', name, 'field'], message };
    }
    if (dimension.kind !== 'time' || dimension.interval !== 'minute') continue;
    const message = `rollups are of quarter hours at the finest, so there is none of minutes: ${instead}`;
    return { spot: ['dimensions', name, 'interval'], message };
  }
  return undefined;
}

const NO_TIME = { from: 0, to: 0 } as const;

function check(query: DeclaredQuery): void {
  switch (query.kind) {
    case 'funnel':
      for (const [index, { filter }] of query.steps.entries()) {
        checkFilter(filter, ['steps', index, 'filter']);
      }
      return;
    case 'retention':
      if (query.filter) checkFilter(query.filter, ['filter']);
      return;
    default:
      // A list is always cut, if not here then by the request.
      checkQuery({ ...(query.others !== undefined && { limit: 1 }), ...query, range: NO_TIME });
  }
}

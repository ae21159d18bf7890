import { z } from 'zod';
import { DECLARED_LIMITS, type DeclaredQuery, type FunnelStep } from './declared.ts';
import { nearest } from './nearest.ts';
import type { Dimension, Filter, Measure, Order } from './query.ts';

const text = z.string('must be a text').min(1, 'must not be empty');
const number = z.number('must be a number');
const scalar = z.union([z.string(), number, z.boolean()], 'must be a text, a number or a flag');

/** The filters of a query, as `Filter` describes them. */
const filter: z.ZodType<Filter, Filter> = z.lazy(() =>
  byKind([
    object({ kind: z.literal('equals'), field: text, value: scalar }),
    object({ kind: z.literal('in'), field: text, values: list(scalar) }),
    object({ kind: z.literal('prefix'), field: text, value: z.string('must be a text') }),
    object({
      kind: z.literal('range'),
      field: text,
      gte: number.exactOptional(),
      lt: number.exactOptional(),
    }),
    object({ kind: z.literal('exists'), field: text }),
    object({ kind: z.literal('and'), filters: list(filter) }),
    object({ kind: z.literal('or'), filters: list(filter) }),
    object({ kind: z.literal('not'), filter }),
  ]),
);

const where = filter.exactOptional();

const measure: z.ZodType<Measure, Measure> = byKind([
  object({ kind: z.literal('count'), where }),
  object({ kind: z.literal('distinct'), field: text, where }),
  object({ kind: z.literal('sum'), field: text, where }),
  object({ kind: z.literal('average'), field: text, where }),
  object({ kind: z.literal('min'), field: text, where }),
  object({ kind: z.literal('max'), field: text, where }),
  object({ kind: z.literal('percentile'), field: text, at: number, where }),
]);

const interval = oneOf(['minute', 'hour', 'day', 'week', 'month']);

const dimension: z.ZodType<Dimension, Dimension> = byKind([
  object({
    kind: z.literal('field'),
    field: text,
    missing: z.string('must be a text').exactOptional(),
  }),
  object({ kind: z.literal('time'), interval }),
]);

const order: z.ZodType<Order, Order> = object({
  by: text,
  direction: oneOf(['ascending', 'descending']),
});

const step: z.ZodType<FunnelStep, FunnelStep> = object({ name: text, filter });

const meaning = text.exactOptional();

const { stepsMax, withinMinutesMax } = DECLARED_LIMITS;

/** A query of the configuration, checked for its form; `declared-check.ts` checks its meaning. */
export const declaredQuerySchema: z.ZodType<DeclaredQuery, DeclaredQuery> = byKind(
  [
    object({
      kind: z.literal('rows').exactOptional(),
      meaning,
      measures: named(measure),
      dimensions: named(dimension).exactOptional(),
      filter: where,
      order: list(order).exactOptional(),
      limit: number.exactOptional(),
      others: text.exactOptional(),
      rollup: z.boolean('must be true or false').exactOptional(),
    }),
    object({
      kind: z.literal('funnel'),
      meaning,
      steps: list(step)
        .min(2, 'a funnel has two steps or more')
        .max(stepsMax, `a funnel has at most ${stepsMax} steps`),
      withinMinutes: number
        .positive('must be more than 0')
        .max(withinMinutesMax, `must be at most ${withinMinutesMax}`)
        .exactOptional(),
    }),
    object({
      kind: z.literal('retention'),
      meaning,
      filter: where,
      interval: oneOf(['day', 'week', 'month']).exactOptional(),
    }),
  ],
  'rows (or none), funnel or retention',
);

function list<T>(member: z.ZodType<T, T>) {
  return z.array(member, 'must be a list');
}

function named<T>(member: z.ZodType<T, T>) {
  return z.record(z.string(), member, 'must be an object, by name');
}

function oneOf<const T extends readonly [string, ...string[]]>(names: T) {
  return z.enum(names, `must be one of ${names.join(', ')}`);
}

/** An object of these members alone; a misspelt one is told what it may have been. */
function object<T extends z.ZodRawShape>(shape: T) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: ({ code, keys }) => {
      if (code === 'invalid_type') return 'must be an object';
      if (code !== 'unrecognized_keys' || !Array.isArray(keys)) return undefined;
      const name = String(keys[0]);
      const near = nearest(name, known);
      const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
      return `there is no ${JSON.stringify(name)} here: ${hint}`;
    },
  });
}

/** One of several objects that `kind` tells apart. */
function byKind<T extends readonly z.ZodObject[]>(options: T, kinds = kindsOf(options)) {
  const members = options as T & readonly [z.ZodObject, ...z.ZodObject[]];
  return z.discriminatedUnion('kind', members as never, {
    error: `must be ${kinds}`,
  }) as unknown as z.ZodType<z.output<T[number]>, z.input<T[number]>>;
}

function kindsOf(options: readonly z.ZodObject[]): string {
  const kinds = options.flatMap(({ shape }) => {
    const { kind } = shape;
    return kind instanceof z.ZodLiteral ? [...kind.values].map(String) : [];
  });
  return `one of ${kinds.join(', ')}`;
}

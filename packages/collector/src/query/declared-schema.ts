import { z } from 'zod';
import { DECLARED_LIMITS, type DeclaredQuery, type FunnelStep } from './declared.ts';
import type { Dimension, Filter, Measure, Order } from './query.ts';
import { strictObject } from './strict-object.ts';

const text = z.string('must be a text').min(1, 'must not be empty');
const number = z.number('must be a number');
const scalar = z.union([z.string(), number, z.boolean()], 'must be a text, a number or a flag');

/** The filters of a query, as `Filter` describes them. */
const filter: z.ZodType<Filter, Filter> = z.lazy(() =>
  byKind([
    strictObject({ kind: z.literal('equals'), field: text, value: scalar }),
    strictObject({ kind: z.literal('in'), field: text, values: list(scalar) }),
    strictObject({ kind: z.literal('prefix'), field: text, value: z.string('must be a text') }),
    strictObject({
      kind: z.literal('range'),
      field: text,
      gte: number.exactOptional(),
      lt: number.exactOptional(),
    }),
    strictObject({ kind: z.literal('exists'), field: text }),
    strictObject({ kind: z.literal('and'), filters: list(filter) }),
    strictObject({ kind: z.literal('or'), filters: list(filter) }),
    strictObject({ kind: z.literal('not'), filter }),
  ]),
);

const where = filter.exactOptional();

const measure: z.ZodType<Measure, Measure> = byKind([
  strictObject({ kind: z.literal('count'), where }),
  strictObject({ kind: z.literal('distinct'), field: text, where }),
  strictObject({ kind: z.literal('sum'), field: text, where }),
  strictObject({ kind: z.literal('average'), field: text, where }),
  strictObject({ kind: z.literal('min'), field: text, where }),
  strictObject({ kind: z.literal('max'), field: text, where }),
  strictObject({ kind: z.literal('percentile'), field: text, at: number, where }),
]);

const interval = oneOf(['minute', 'hour', 'day', 'week', 'month']);

const dimension: z.ZodType<Dimension, Dimension> = byKind([
  strictObject({
    kind: z.literal('field'),
    field: text,
    missing: z.string('must be a text').exactOptional(),
  }),
  strictObject({ kind: z.literal('time'), interval }),
]);

const order: z.ZodType<Order, Order> = strictObject({
  by: text,
  direction: oneOf(['ascending', 'descending']),
});

const step: z.ZodType<FunnelStep, FunnelStep> = strictObject({ name: text, filter });

const meaning = text.exactOptional();

const { stepsMax, withinMinutesMax } = DECLARED_LIMITS;

/** A query of the configuration, checked for its form; `declared-check.ts` checks its meaning. */
export const declaredQuerySchema: z.ZodType<DeclaredQuery, DeclaredQuery> = byKind(
  [
    strictObject({
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
    strictObject({
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
    strictObject({
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

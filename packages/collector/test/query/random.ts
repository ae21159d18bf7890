import * as fc from 'fast-check';
import type { FieldName, StoredEvent } from '../../src/event.ts';
import type { Dimension, Filter, Measure, Order, Query, Scalar } from '../../src/query/query.ts';
import type { Scan } from '../../src/query/scan.ts';
import { eventAt } from '../store/journal-lines.ts';

/** Pools are small, so that values meet; times crowd around changes of daylight saving. */
const items = ['a', 'b', 'a/b', 'ü', '1', '10', 'A', '\u{1F600}', '\u{FF5E}'];
const words = ['x', 'y', "it's", '%', '__proto__', '2'];
const keys = ['k', 'size', 'constructor', 'a.b'] as const;
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Adelaide',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Australia/Lord_Howe',
];
const from = Date.UTC(2026, 9, 23);
const to = Date.UTC(2026, 10, 3);

/** Halves and quarters, whose sums are exact in any order. */
const numberArb = fc.integer({ min: -400, max: 4000 }).map((n) => n / 4);
const wordArb = fc.constantFrom(...words);
const timeArb = fc.oneof(
  fc.integer({ min: from, max: to - 1 }),
  fc.integer({ min: from / 3_600_000, max: to / 3_600_000 - 1 }).map((hour) => hour * 3_600_000),
  fc.integer({ min: 0, max: 7_200_000 }).map((ms) => Date.UTC(2026, 9, 25) + ms),
  fc.integer({ min: 0, max: 7_200_000 }).map((ms) => Date.UTC(2026, 10, 1, 5) + ms),
);

/** The application's keys, as intake splits them: numbers are in `metrics` and, as text, in `labels`. */
const applicationArb: fc.Arbitrary<Pick<StoredEvent, 'labels' | 'metrics'>> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...keys),
      fc.array(fc.oneof(wordArb, numberArb), { minLength: 1, maxLength: 3 }),
    ),
    { maxLength: 3 },
  )
  .map((pairs) => {
    const values = new Map(pairs);
    const numeric = [...values]
      .map(([key, some]) => [key, some.filter((value) => typeof value === 'number')] as const)
      .filter(([, some]) => some.length > 0);
    return {
      ...(values.size > 0 && {
        labels: fromPairs([...values].map(([key, some]) => [key, bare(some.map(String))])),
      }),
      ...(numeric.length > 0 && {
        metrics: fromPairs(numeric.map(([key, some]) => [key, bare(some)])),
      }),
    };
  });

/** Random events of one app. */
export function eventsArb(app: string): fc.Arbitrary<StoredEvent[]> {
  const optional = fc.record(
    {
      item: fc.constantFrom(...items),
      'user.id': fc.constantFrom('v1', 'v2', 'v3'),
      'file.extension': fc.constantFrom('kml', 'csv'),
      duration: numberArb,
      'http.response.status_code': fc.constantFrom(200, 404),
      bot: fc.constant(true as const),
      tags: fc.array(fc.constantFrom('bot', 'privacy', 'noise'), { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  const eventArb = fc
    .tuple(timeArb, fc.constantFrom('view', 'download'), optional, applicationArb)
    .map(([time, action, known, application]) =>
      eventAt(new Date(time).toISOString(), app, {
        'event.action': action,
        ...known,
        ...application,
      }),
    );
  return fc.array(eventArb, { maxLength: 40 });
}

const groupField = fc.constantFrom(
  'item',
  'event',
  'visitor',
  'format',
  'tags',
  'status',
  'bot',
  ...keys,
);
const numericField = fc.constantFrom('duration', 'status', ...keys);
const textField = fc.constantFrom('item', 'format', 'tags', 'k', 'size');
const scalarArb: fc.Arbitrary<Scalar> = fc.oneof(wordArb, numberArb, fc.constantFrom(...items));

const leafArb: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ kind: fc.constant('equals' as const), field: textField, value: scalarArb }),
  fc.record({
    kind: fc.constant('equals' as const),
    field: fc.constantFrom('duration', 'status'),
    value: fc.oneof(numberArb, fc.constantFrom(200, 404)),
  }),
  fc.record({
    kind: fc.constant('equals' as const),
    field: fc.constant('bot'),
    value: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('in' as const),
    field: textField,
    values: fc.array(scalarArb, { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('prefix' as const),
    field: textField,
    value: fc.constantFrom('', 'a', 'a/', '1', 'it', '%', '\u{1F600}'),
  }),
  fc.record({
    kind: fc.constant('range' as const),
    field: numericField,
    gte: numberArb,
    lt: numberArb,
  }),
  fc.record({ kind: fc.constant('range' as const), field: fc.constant('time'), gte: timeArb }),
  fc.record({ kind: fc.constant('exists' as const), field: groupField }),
);

const tree = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leafArb,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(tie('filter'), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), filter: tie('filter') }),
  ),
}));

export const filterArb: fc.Arbitrary<Filter> = tree.filter;

const measureArb: fc.Arbitrary<Measure> = fc
  .tuple(
    fc.oneof(
      fc.constant({ kind: 'count' as const }),
      fc.record({ kind: fc.constant('distinct' as const), field: groupField }),
      fc.record({
        kind: fc.constantFrom('sum' as const, 'average' as const, 'min' as const, 'max' as const),
        field: numericField,
      }),
      fc.record({
        kind: fc.constantFrom('min' as const, 'max' as const),
        field: fc.constant('time'),
      }),
    ),
    fc.option(filterArb, { nil: undefined }),
  )
  .map(([measure, where]) => (where ? { ...measure, where } : measure));

const percentileArb: fc.Arbitrary<Measure> = fc.record({
  kind: fc.constant('percentile' as const),
  field: numericField,
  at: fc.constantFrom(0, 5, 50, 75, 95, 100),
});

const dimensionArb: fc.Arbitrary<Dimension> = fc.oneof(
  fc.record({ kind: fc.constant('field' as const), field: groupField }),
  fc.record({
    kind: fc.constant('field' as const),
    field: fc.constantFrom('item', 'visitor', 'tags', 'bot'),
    missing: fc.constant('(none)'),
  }),
  fc.record({
    kind: fc.constant('time' as const),
    interval: fc.constantFrom('minute', 'hour', 'day', 'week', 'month'),
  }),
);

/** Random queries that `checkQuery` lets through. Nothing is ordered by a percentile. */
export const queryArb: fc.Arbitrary<Query> = fc
  .record({
    measures: fc.array(measureArb, { minLength: 1, maxLength: 3 }),
    percentile: fc.option(percentileArb, { nil: undefined }),
    dimensions: fc.array(dimensionArb, { maxLength: 2 }),
    filter: fc.option(filterArb, { nil: undefined }),
    ends: fc.option(fc.tuple(timeArb, timeArb), { nil: undefined }),
    timeZone: fc.option(fc.constantFrom(...zones), { nil: undefined }),
    order: fc.option(fc.tuple(fc.nat(), fc.constantFrom('ascending', 'descending')), {
      nil: undefined,
    }),
    limit: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
  })
  .map(({ measures, percentile, dimensions, filter, ends, timeZone, order, limit }): Query => {
    const named = measures.map((measure, index) => [`m${index}`, measure] as const);
    const by = dimensions.map((dimension, index) => [`d${index}`, dimension] as const);
    const names = [...named, ...by].map(([name]) => name);
    return {
      measures: Object.fromEntries(percentile ? [...named, ['p', percentile]] : named),
      dimensions: Object.fromEntries(by),
      range: ends ? { from: Math.min(...ends), to: Math.max(...ends) } : { from, to },
      ...(filter && { filter }),
      ...(timeZone && { timeZone }),
      ...(order && { order: [ordered(names, order)] }),
      ...(limit && { limit }),
    };
  });

const textDimensionArb = fc
  .tuple(
    fc.constantFrom('item', 'event', 'format', 'tags', 'bot', ...keys),
    fc.constantFrom(undefined, '(none)', '(rest)'),
  )
  .map(([field, missing]): Dimension => ({
    kind: 'field',
    field,
    ...(missing !== undefined && { missing }),
  }));

/** Random queries whose rows are few, with one of the others; some values are called like those. */
export const othersArb: fc.Arbitrary<Query> = fc
  .tuple(
    queryArb,
    textDimensionArb,
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom('(rest)', 'x', 'a', 'true', 'bot'),
  )
  .map(([query, dimension, limit, others]) => {
    const { order, measures, ...asked } = query;
    const { p: _, ...exact } = measures;
    const by = order?.filter((one) => one.by in exact || one.by === 'd0');
    const dimensions = { d0: dimension };
    return { ...asked, ...(by && { order: by }), measures: exact, dimensions, limit, others };
  });

/** Random scans; the events hold three visitors. */
export const scanArb: fc.Arbitrary<Scan> = fc
  .record({
    fields: fc.uniqueArray(
      fc.constantFrom<FieldName>('time', 'visitor', 'item', 'duration', 'status', 'bot', 'event'),
    ),
    marks: fc.array(filterArb, { maxLength: 2 }),
    filter: fc.option(filterArb, { nil: undefined }),
    having: fc.option(filterArb, { nil: undefined }),
    visitors: fc.integer({ min: 1, max: 3 }),
    ends: fc.option(fc.tuple(timeArb, timeArb), { nil: undefined }),
    limit: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(1_000)),
  })
  .map(({ fields, marks, filter: asked, having, visitors, ends, limit }): Scan => ({
    fields: [...fields, 'sequence'],
    marks: Object.fromEntries(marks.map((mark, index) => [`m${index}`, mark])),
    range: ends ? { from: Math.min(...ends), to: Math.max(...ends) } : { from, to },
    limit,
    ...(asked && { filter: asked }),
    ...(having && { visitors: { having, limit: visitors } }),
  }));

function ordered(names: readonly string[], [at, direction]: [number, Order['direction']]): Order {
  return { by: names[at % names.length] ?? '', direction };
}

function bare<T>(values: readonly T[]): T | readonly T[] {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}

/** Like `Object.fromEntries`, which also defines `__proto__` as an own key. */
function fromPairs<T>(pairs: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(pairs);
}

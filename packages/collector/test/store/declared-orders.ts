import * as fc from 'fast-check';
import type { StoredEvent } from '../../src/event.ts';
import { type DeclaredRows, defineQuery } from '../../src/query/declared.ts';
import type { Filter, Interval, Query } from '../../src/query/query.ts';
import { eventAt } from './journal-lines.ts';

/** Queries that are declared with a rollup, and random events and requests to hold them to. */

const DAY_MS = 86_400_000;

const orders: Filter = { kind: 'equals', field: 'event', value: 'order' };
const isDear: Filter = { kind: 'range', field: 'price', gte: 10 };

export const DECLARED = {
  departments: defineQuery({
    rollup: true,
    measures: {
      revenue: { kind: 'sum', field: 'price' },
      orders: { kind: 'count' },
      dear: { kind: 'count', where: isDear },
      mean: { kind: 'average', field: 'price' },
      least: { kind: 'min', field: 'price' },
      most: { kind: 'max', field: 'price', where: { kind: 'exists', field: 'department' } },
    },
    dimensions: { department: { kind: 'field', field: 'department', missing: 'none' } },
    filter: orders,
  }),
  byTime: defineQuery({
    rollup: true,
    measures: { n: { kind: 'count' }, last: { kind: 'max', field: 'time' } },
    dimensions: {
      time: { kind: 'time', interval: 'day' },
      department: { kind: 'field', field: 'department' },
      bot: { kind: 'field', field: 'bot' },
    },
  }),
  total: defineQuery({
    rollup: true,
    measures: {
      price: { kind: 'sum', field: 'price' },
      mean: { kind: 'average', field: 'duration' },
    },
    filter: { kind: 'and', filters: [orders, { kind: 'not', filter: isDear }] },
  }),
} as const satisfies Record<string, DeclaredRows>;

export const timeArb = fc.oneof(
  fc.integer({ min: Date.UTC(2026, 9, 2), max: Date.UTC(2026, 9, 6) }),
  fc.integer({ min: Date.UTC(2026, 9, 30), max: Date.UTC(2026, 10, 4) }),
);

export const eventArb: fc.Arbitrary<StoredEvent> = fc
  .record({
    time: timeArb,
    app: fc.constantFrom('a', 'b'),
    item: fc.option(fc.constantFrom('trees', 'roads'), { nil: undefined }),
    action: fc.constantFrom('order', 'order', 'view'),
    bot: fc.boolean(),
    departments: fc.subarray(['parks', 'streets', '\u{FEFF}it']),
    prices: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 2 }),
    duration: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  })
  .map(({ time, app, item, action, bot, departments, prices, duration }): StoredEvent => {
    const labels = {
      ...(departments.length > 0 && { department: departments }),
      ...(prices.length > 0 && { price: prices.map(String) }),
    };
    return {
      ...eventAt(new Date(time).toISOString(), app),
      'event.action': action,
      ...(item !== undefined && { item }),
      ...(bot && { bot }),
      ...(duration !== undefined && { duration }),
      labels,
      ...(prices.length > 0 && { metrics: { price: prices } }),
    };
  });

const scopeArb = fc.subarray<Filter>([
  { kind: 'equals', field: 'app', value: 'a' },
  { kind: 'equals', field: 'item', value: 'trees' },
  { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } },
]);

const endArb = timeArb.chain((time) => fc.constantFrom(time, time - (time % DAY_MS)));

/** What requests make of the declared queries. */
export const queryArb: fc.Arbitrary<Query> = fc
  .record({
    name: fc.constantFrom(...(Object.keys(DECLARED) as (keyof typeof DECLARED)[])),
    scope: scopeArb,
    ends: fc.tuple(endArb, endArb).filter(([a, b]) => a !== b),
    timeZone: fc.constantFrom('UTC', 'Asia/Kolkata', 'America/New_York'),
    interval: fc.constantFrom<Interval>('minute', 'hour', 'day', 'week', 'month'),
  })
  .map(({ name, scope, ends, timeZone, interval }) =>
    asked(
      DECLARED[name],
      scope,
      { from: Math.min(...ends), to: Math.max(...ends) },
      timeZone,
      interval,
    ),
  );

export function asked(
  declared: DeclaredRows,
  scope: readonly Filter[],
  range: Query['range'],
  timeZone = 'UTC',
  interval: Interval = 'day',
): Query {
  const own = declared.filter?.kind === 'and' ? declared.filter.filters : [declared.filter];
  const dimensions = Object.entries(declared.dimensions ?? {}).map(
    ([name, one]) => [name, one.kind === 'time' ? { ...one, interval } : one] as const,
  );
  return {
    measures: declared.measures,
    ...(declared.dimensions && { dimensions: Object.fromEntries(dimensions) }),
    filter: { kind: 'and', filters: [...own.filter((one) => one !== undefined), ...scope] },
    range,
    timeZone,
  };
}

/** The same question, with a condition that always holds and that rollups know nothing of. */
export function live(query: Query): Query {
  const always: Filter = { kind: 'not', filter: { kind: 'exists', field: 'never' } };
  return { ...query, filter: { kind: 'and', filters: [query.filter ?? always, always] } };
}

import { resolveField } from '../../src/query/field.ts';
import { orderRows } from '../../src/query/order-rows.ts';
import {
  QUERY_LIMITS,
  type Dimension,
  type Filter,
  type Measure,
  type Query,
  type Row,
  type Scalar,
} from '../../src/query/query.ts';
import { bucketStart } from '../../src/query/time-zone.ts';

type Event = Readonly<Record<string, unknown>>;

/**
 * What a query means, in the plainest code: the oracle that both stores are compared with. It
 * loops over events in memory, knows no engine and is in no hurry.
 */
export function evaluate(query: Query, events: readonly Event[]): readonly Row[] {
  const inRange = events.filter((event) => {
    const time = Date.parse(String(event['@timestamp']));
    return time >= query.range.from && time < query.range.to;
  });
  const asked = inRange.filter((event) => !query.filter || holds(query.filter, event));
  const rows = groups(query, asked).map(({ key, members }) => ({
    ...key,
    ...Object.fromEntries(
      Object.entries(query.measures).map(([name, measure]) => [name, measured(measure, members)]),
    ),
  }));
  const sorted = orderRows(rows, query).slice(0, query.limit ?? QUERY_LIMITS.rowsMax);
  return withOthers(query, sorted, asked);
}

/** After the rows one of all events that are in none of them. */
function withOthers(
  query: Query,
  sorted: readonly Row[],
  events: readonly Event[],
): readonly Row[] {
  const [[name, dimension] = []] = Object.entries(query.dimensions ?? {});
  if (query.others === undefined || name === undefined || !dimension) return sorted;
  const rows = sorted.filter((row) => row[name] !== query.others);
  const shown = rows.map((row) => row[name]);
  const rest = events.filter((event) => {
    const values = buckets(dimension, event, 'UTC');
    return values.length > 0 && !values.some((value) => shown.includes(value));
  });
  if (rest.length === 0) return rows;
  const measures = Object.entries(query.measures).map(
    ([one, measure]) => [one, measured(measure, rest)] as const,
  );
  return [...rows, { [name]: query.others, ...Object.fromEntries(measures) }];
}

/** All values of a percentile's field in the events of one row, sorted: what a tolerance needs. */
export function valuesOf(
  field: string,
  query: Query,
  row: Row,
  events: readonly Event[],
  where?: Filter,
): readonly number[] {
  const narrowed = { ...query, measures: { n: { kind: 'count' } as const } };
  const from = events.filter((event) => {
    const time = Date.parse(String(event['@timestamp']));
    return time >= query.range.from && time < query.range.to;
  });
  const group = groups(
    narrowed,
    from.filter((e) => !query.filter || holds(query.filter, e)),
  ).find(({ key }) => Object.entries(key).every(([name, value]) => row[name] === value));
  const members = (group?.members ?? []).filter((event) => !where || holds(where, event));
  return members.flatMap((event) => numbers(event, field)).toSorted((a, b) => a - b);
}

interface Group {
  readonly key: Row;
  readonly members: Event[];
}

function groups(query: Query, events: readonly Event[]): Group[] {
  const dimensions = Object.entries(query.dimensions ?? {});
  if (dimensions.length === 0) return [{ key: {}, members: [...events] }];
  const found = new Map<string, Group>();
  for (const event of events) {
    const keys = dimensions.reduce<Row[]>(
      (partial, [name, dimension]) =>
        partial.flatMap((key) =>
          buckets(dimension, event, query.timeZone ?? 'UTC').map((value) => ({
            ...key,
            [name]: value,
          })),
        ),
      [{}],
    );
    for (const key of keys) {
      const id = JSON.stringify(key);
      const group = found.get(id) ?? { key, members: [] };
      group.members.push(event);
      found.set(id, group);
    }
  }
  return [...found.values()];
}

function buckets(dimension: Dimension, event: Event, timeZone: string): (string | number)[] {
  if (dimension.kind === 'time') {
    const time = Date.parse(String(event['@timestamp']));
    return [bucketStart(time, dimension.interval, timeZone)];
  }
  const values = scalars(event, dimension.field).map((value) =>
    typeof value === 'boolean' ? String(value) : value,
  );
  if (values.length === 0) return dimension.missing === undefined ? [] : [dimension.missing];
  return [...new Set(values)];
}

function measured(measure: Measure, members: readonly Event[]): number | null {
  const { where } = measure;
  const events = where ? members.filter((event) => holds(where, event)) : members;
  if (measure.kind === 'count') return events.length;
  if (measure.kind === 'distinct') {
    return new Set(events.flatMap((event) => scalars(event, measure.field))).size;
  }
  const values = events.flatMap((event) => numbers(event, measure.field));
  if (measure.kind === 'sum') return values.reduce((a, b) => a + b, 0);
  if (values.length === 0) return null;
  switch (measure.kind) {
    case 'average':
      return values.reduce((a, b) => a + b, 0) / values.length;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'percentile':
      return values.toSorted((a, b) => a - b)[
        Math.round((measure.at / 100) * (values.length - 1))
      ] as number;
  }
}

export function holds(filter: Filter, event: Event): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((part) => holds(part, event));
    case 'or':
      return filter.filters.some((part) => holds(part, event));
    case 'not':
      return !holds(filter.filter, event);
    case 'exists':
      return scalars(event, filter.field).length > 0;
    case 'equals':
      return scalars(event, filter.field).some((value) => same(filter.field, value, filter.value));
    case 'in':
      return scalars(event, filter.field).some((value) =>
        filter.values.some((wanted) => same(filter.field, value, wanted)),
      );
    case 'prefix':
      return scalars(event, filter.field).some((value) => String(value).startsWith(filter.value));
    case 'range':
      return numbers(event, filter.field).some(
        (value) => value >= (filter.gte ?? -Infinity) && value < (filter.lt ?? Infinity),
      );
  }
}

/** Text compares with any scalar as text; numbers, times and booleans only with their own type. */
function same(field: string, value: Scalar, wanted: Scalar): boolean {
  const resolved = resolveField(field);
  const text = resolved.kind === 'application' || resolved.type === 'keyword';
  return text ? String(value) === String(wanted) : value === wanted;
}

/** The values that count, group and compare: text of an application key, else the field's own. */
export function scalars(event: Event, name: string): Scalar[] {
  const field = resolveField(name);
  if (field.kind === 'application') return list(own(event['labels'], field.key)).map(String);
  return list(own(event, field.at)).map((value) =>
    field.type === 'time' ? Date.parse(String(value)) : (value as Scalar),
  );
}

/** The values that numeric measures and ranges see. */
function numbers(event: Event, name: string): number[] {
  const field = resolveField(name);
  const values =
    field.kind === 'application' ? list(own(event['metrics'], field.key)) : scalars(event, name);
  return values.map(Number);
}

function own(record: unknown, key: string): unknown {
  return typeof record === 'object' && record !== null && Object.hasOwn(record, key)
    ? (record as Event)[key]
    : undefined;
}

function list(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

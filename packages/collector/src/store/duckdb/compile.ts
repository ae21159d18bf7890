import type { FieldName, FieldType } from '../../event.ts';
import { resolveField } from '../../query/field.ts';
import { fullOrder } from '../../query/order-rows.ts';
import {
  QUERY_LIMITS,
  type Dimension,
  type Filter,
  type Interval,
  type Measure,
  type Query,
  type Range,
  type Scalar,
} from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { type OffsetSpan, oddHours, offsetSpans } from '../../query/time-zone.ts';
import type { DeclaredRows } from '../../query/declared.ts';
import {
  COUNTS,
  type CountsPlan,
  DAY_MS,
  type DeclaredPlan,
  type ExcerptPlan,
  heldTo,
  type RollupPlan,
} from './rollup-plan.ts';
import { columnsOf, itemKey, tableName } from './rollup.ts';
import type { Param, Statement } from './session.ts';
import { quoted } from './schema.ts';

export interface CompiledQuery extends Statement {
  /** Names of the columns, in their order. */
  readonly columns: readonly string[];
  /** Columns that hold the local start of a day, week or month, as if it were UTC, in epoch ms. */
  readonly localStarts: ReadonlySet<string>;
}

/**
 * Compiles a checked query to SQL. Pure; every value of the query is a bound parameter. With a
 * plan, what it says is read from rollups and the rest from events; the answer is the same.
 */
export function compile(query: Query, plan?: RollupPlan): CompiledQuery {
  return new Compiler(query, plan).compiled();
}

/**
 * Compiles queries that are alike but for their filters and for the one dimension of each: `query`
 * has the dimensions of all, what their filters share and no measures that matter. A row is the
 * number of its query, a column for each dimension, and a count of the query's `own` events.
 */
export function compileTogether(
  query: Query,
  own: readonly Filter[],
  plan: CountsPlan,
): CompiledQuery {
  return new Compiler(query, plan).together(own);
}

/**
 * What a declared query is made of, for its rollup. `sql` gives a row for each event and value of
 * its dimensions, of the table `counted`; the measures are made of `values`, put together by `merge`.
 */
export interface CompiledParts extends Statement {
  readonly groups: readonly string[];
  readonly values: readonly Partial[];
}

export interface Partial {
  readonly name: string;
  readonly type: 'BIGINT' | 'DOUBLE';
  readonly merge: 'sum' | 'min' | 'max';
}

export function compileParts(query: DeclaredRows): CompiledParts {
  return new Compiler({ ...query, range: { from: 0, to: 0 } }).parts();
}

/** Compiles a checked scan likewise; the columns are its fields and marks. */
export function compileScan(scan: Scan, plan?: ExcerptPlan): CompiledQuery {
  return new Compiler({ measures: {}, range: scan.range }, plan).scanned(scan);
}

class Compiler {
  readonly #query: Query;
  readonly #plan: RollupPlan | undefined;
  readonly #params: Param[] = [];

  constructor(query: Query, plan?: RollupPlan) {
    this.#query = query;
    this.#plan = plan;
  }

  compiled(): CompiledQuery {
    const { measures, dimensions = {}, limit = QUERY_LIMITS.rowsMax } = this.#query;
    const groups = Object.entries(dimensions);
    const columns = [...Object.keys(dimensions), ...Object.keys(measures)];
    const selected = [
      ...groups.map(([name, d], index) => `${grouped(d, index)} AS ${quoted(name)}`),
      ...Object.entries(measures).map(
        ([name, m], index) =>
          `${this.#plan?.kind === 'declared' ? this.#merged(m, `v${index}`) : this.#measure(m)} AS ${quoted(name)}`,
      ),
    ];
    const order = fullOrder(this.#query).map(
      ({ by, direction }) =>
        `${quoted(by)} ${direction === 'ascending' ? 'ASC' : 'DESC'} NULLS LAST`,
    );
    const sql = [
      `SELECT ${selected.join(',\n       ')}`,
      `FROM ${this.#source(groups.map(([, dimension]) => dimension))}`,
      ...(groups.length > 0
        ? [
            `GROUP BY ${groups.map((_, index) => `d${index}`).join(', ')}`,
            `ORDER BY ${order.join(', ')}`,
            `LIMIT ${limit}`,
          ]
        : []),
    ].join('\n');
    return { sql, params: this.#params, columns, localStarts: localStartsOf(groups) };
  }

  parts(): CompiledParts {
    const filter = this.#query.filter ? this.#filter(this.#query.filter) : 'true';
    const sql = this.#perEvent('*', `counted\nWHERE ${filter}`);
    const values = this.#partials().map(({ name, type, merge }) => ({ name, type, merge }));
    return { sql, params: this.#params, groups: this.#fieldColumns(), values };
  }

  together(own: readonly Filter[]): CompiledQuery {
    const dimensions = Object.entries(this.#query.dimensions ?? {});
    const names = dimensions.map((_, index) => `d${index}`);
    const valued = dimensions.map(([, d], index) => `${this.#dimension(d).sql} AS d${index}`);
    const marks = own.map(
      (filter, index) => `coalesce(${this.#filter(filter)}, false) AS o${index}`,
    );
    const set = names.map((name, index) => `WHEN grouping(${name}) = 0 THEN ${index}`);
    const sql = [
      `SELECT CASE ${set.join(' ')} END,`,
      `  ${dimensions.map(([, d], index) => grouped(d, index)).join(', ')},`,
      `  CAST(sum(events) AS BIGINT)`,
      `FROM (SELECT *, ${[...valued, ...marks].join(', ')} FROM ${this.#source([])})`,
      `GROUP BY GROUPING SETS (${names.map((name, index) => `(${name}, o${index})`).join(', ')})`,
      `HAVING coalesce(${names.map((_, index) => `o${index}`).join(', ')})`,
    ].join('\n');
    const columns = ['set', ...names, 'count'];
    return { sql, params: this.#params, columns, localStarts: localStartsOf(dimensions) };
  }

  scanned({ fields, marks = {}, filter, visitors, limit }: Scan): CompiledQuery {
    const columns = [...fields, ...Object.keys(marks)];
    const selected = [
      ...fields.map((name) => `${this.#plain(name)} AS ${quoted(name)}`),
      ...Object.entries(marks).map(
        ([name, mark]) =>
          `CAST(coalesce(${this.#filter(mark)}, false) AS INTEGER) AS ${quoted(name)}`,
      ),
    ];
    const sql = [
      `SELECT ${selected.join(',\n       ')}`,
      `FROM (SELECT * FROM ${this.#events(filter)}) AS events`,
      ...(visitors ? [`WHERE ${this.#visitor()} IN (${this.#newest(visitors)})`] : []),
      'ORDER BY events."user.id" NULLS LAST, events."@timestamp", "journal.collector", "journal.sequence"',
      `LIMIT ${limit}`,
    ].join('\n');
    return { sql, params: this.#params, columns, localStarts: new Set() };
  }

  #newest({ having, limit }: NonNullable<Scan['visitors']>): string {
    const visitor = this.#visitor();
    return [
      `SELECT ${visitor} FROM (SELECT * FROM ${this.#events(having)})`,
      `WHERE ${visitor} IS NOT NULL`,
      `GROUP BY ${visitor} ORDER BY max("@timestamp") DESC, min("user.id") LIMIT ${limit}`,
    ].join('\n    ');
  }

  /** The column that tells visitors apart. */
  #visitor(): string {
    return this.#plan?.kind === 'excerpt' ? this.#plan.visitor : '"user.id"';
  }

  /** A field of one value as rows have it. */
  #plain(name: FieldName): string {
    const { sql, type } = this.#values(name);
    if (type === 'boolean') return `CAST(${sql} AS VARCHAR)`;
    return type === 'keyword' ? `exact(${sql})` : sql;
  }

  /**
   * The events asked for, with a column `d0`, `d1`, … for each dimension. Each dimension of many
   * values wraps another SELECT, because two `unnest` in one would walk side by side.
   */
  #source(dimensions: readonly Dimension[]): string {
    if (this.#plan?.kind === 'declared') {
      const times = dimensions.map((one) => (one.kind === 'time' ? one : undefined));
      return this.#withDimensions(times, this.#declaredRows(this.#plan));
    }
    const rows =
      this.#plan?.kind === 'counts' ? this.#rolledUp(this.#plan) : this.#events(this.#query.filter);
    return this.#withDimensions(dimensions, rows);
  }

  /** Events for which a filter holds: with a plan as far as they are in an excerpt, from there. */
  #events(filter: Filter | undefined): string {
    if (this.#plan?.kind !== 'excerpt') return `events\nWHERE ${this.#where(filter)}`;
    const { table, columns, fromEvents, upTo, isBehind, counted, live } = this.#plan;
    const events = (range: Range): string =>
      `SELECT ${fromEvents.join(', ')} FROM events\nWHERE ${this.#where(filter, range)}`;
    const branches = [
      ...counted.map((range) =>
        [
          `SELECT ${columns.join(', ')} FROM ${table}`,
          `WHERE run <= ${upTo} AND slot >= ${Math.floor(range.from / DAY_MS)} AND slot < ${Math.ceil(range.to / DAY_MS)}`,
          ...keysOf(filter),
          `  AND ${this.#where(filter, range)}`,
        ].join('\n'),
      ),
      ...(isBehind ? counted.map((range) => `${events(range)}\n  AND batch > ${upTo}`) : []),
      ...live.map(events),
    ];
    return `(${branches.join('\nUNION ALL\n')})`;
  }

  #withDimensions(dimensions: readonly (Dimension | undefined)[], rows: string): string {
    let source = rows;
    for (const [index, dimension] of dimensions.entries()) {
      if (dimension === undefined) continue;
      const column = this.#dimension(dimension);
      const inner = `SELECT *, ${column.sql} AS d${index} FROM ${source}`;
      source = column.nullable ? `(${inner})\nWHERE d${index} IS NOT NULL` : `(${inner})`;
    }
    return source;
  }

  /** One branch for each stretch of time, and few: the engine plans each for longer than it runs. */
  #rolledUp({ name, tables, upTo, isBehind, counted, live }: CountsPlan): string {
    const { filter } = this.#query;
    const columns = columnsOf(name);
    const events = (range: Range): string =>
      `SELECT ${columns}, epoch_ms("@timestamp") AS ms, 1 AS events FROM events
WHERE ${this.#where(filter, range)}`;
    const branches = [
      ...tables.map(({ name: table, from, to }) => {
        const { stepMs } = COUNTS[table];
        return [
          `SELECT ${columns}, CAST(slot AS BIGINT) * ${stepMs} AS ms, events FROM ${tableName(table)}`,
          `WHERE run <= ${upTo} AND slot >= ${from / stepMs} AND slot < ${to / stepMs}`,
          ...(name.startsWith('item') ? keysOf(filter) : []),
          ...(filter ? [`  AND ${this.#filter(filter)}`] : []),
        ].join('\n');
      }),
      ...(isBehind ? counted.map((range) => `${events(range)}\n  AND batch > ${upTo}`) : []),
      ...live.map(events),
    ];
    return `(${branches.join('\nUNION ALL\n')})`;
  }

  /** Likewise of the rollup of a declared query, whose rows have its dimensions already. */
  #declaredRows({ table, stepMs, filter, upTo, isBehind, counted, live }: DeclaredPlan): string {
    const columns = [...this.#fieldColumns(), ...this.#partials().map(({ name }) => name)];
    const events = (range: Range, and = ''): string =>
      this.#perEvent(
        'epoch_ms("@timestamp") AS ms',
        `events\nWHERE ${this.#where(this.#query.filter, range)}${and}`,
      );
    const branches = [
      ...counted.map(({ from, to }) =>
        [
          `SELECT ${[`CAST(slot AS BIGINT) * ${stepMs} AS ms`, ...columns].join(', ')} FROM ${table}`,
          `WHERE run <= ${upTo} AND slot >= ${from / stepMs} AND slot < ${to / stepMs}`,
          ...keysOf(filter),
          `  AND ${this.#filter(filter)}`,
        ].join('\n'),
      ),
      ...(isBehind ? counted.map((range) => events(range, `\n  AND batch > ${upTo}`)) : []),
      ...live.map((range) => events(range)),
    ];
    return `(${branches.join('\nUNION ALL\n')})`;
  }

  /** A row for each event and value of its fields, with what the measures are made of. */
  #perEvent(columns: string, rows: string): string {
    const dimensions = Object.values(this.#query.dimensions ?? {});
    const fields = dimensions.map((one) => (one.kind === 'field' ? one : undefined));
    const source = this.#withDimensions(fields, rows);
    const values = this.#partials().map(({ name, sql }) => `${sql} AS ${name}`);
    const named = columns === '*' ? [] : this.#fieldColumns();
    return `SELECT ${[columns, ...named, ...values].join(', ')} FROM ${source}`;
  }

  /** Names of the dimensions that are fields: `d0`, `d2`, … */
  #fieldColumns(): readonly string[] {
    const dimensions = Object.values(this.#query.dimensions ?? {});
    return dimensions.flatMap((one, index) => (one.kind === 'field' ? [`d${index}`] : []));
  }

  #partials(): readonly (Partial & { readonly sql: string })[] {
    return Object.values(this.#query.measures).flatMap((measure, index) =>
      this.#partialsOf(measure, `v${index}`),
    );
  }

  #partialsOf(measure: Measure, name: string): readonly (Partial & { readonly sql: string })[] {
    const where = measure.where && this.#filter(measure.where);
    const held = (sql: string): string =>
      where === undefined ? sql : `CASE WHEN ${where} THEN ${sql} END`;
    if (measure.kind === 'count') {
      return [{ name, type: 'BIGINT', merge: 'sum', sql: `coalesce(${held('1')}, 0)` }];
    }
    const { sql, many } = this.#numbers(measure.field);
    const value = (list: string): string => held(many ? `list_${list}(${sql})` : sql);
    switch (measure.kind) {
      case 'sum':
        return [{ name, type: 'DOUBLE', merge: 'sum', sql: value('sum') }];
      case 'average': {
        const count = held(many ? `len(${sql})` : `CASE WHEN ${sql} IS NOT NULL THEN 1 END`);
        return [
          { name, type: 'DOUBLE', merge: 'sum', sql: value('sum') },
          { name: `${name}n`, type: 'BIGINT', merge: 'sum', sql: count },
        ];
      }
      case 'min':
      case 'max':
        return [{ name, type: 'DOUBLE', merge: measure.kind, sql: value(measure.kind) }];
      case 'distinct':
      case 'percentile':
        throw new Error(`there is no rollup of a ${measure.kind}`);
    }
  }

  /** A measure from its parts. */
  #merged({ kind }: Measure, name: string): string {
    switch (kind) {
      case 'count':
        return `CAST(coalesce(sum(${name}), 0) AS BIGINT)`;
      case 'sum':
        return `coalesce(sum(${name}), 0)`;
      case 'average':
        return `sum(${name}) / sum(${name}n)`;
      case 'min':
      case 'max':
        return `${kind}(${name})`;
      case 'distinct':
      case 'percentile':
        throw new Error(`there is no rollup of a ${kind}`);
    }
  }

  #where(filter: Filter | undefined, { from, to }: Range = this.#query.range): string {
    return [
      `"@timestamp" >= ${this.#bind(new Date(from))}`,
      `"@timestamp" < ${this.#bind(new Date(to))}`,
      ...(filter ? [this.#filter(filter)] : []),
    ].join('\n  AND ');
  }

  #dimension(dimension: Dimension): { readonly sql: string; readonly nullable: boolean } {
    if (dimension.kind === 'time') {
      return { sql: this.#bucket(dimension.interval), nullable: false };
    }
    const { field, missing } = dimension;
    const values = this.#values(field);
    if (values.many) {
      const { sql } = values;
      const filled = missing === undefined ? sql : `coalesce(${sql}, [${this.#bind(missing)}])`;
      return { sql: `unnest(${filled})`, nullable: false };
    }
    const text = values.type === 'boolean' ? `CAST(${values.sql} AS VARCHAR)` : values.sql;
    if (missing === undefined) return { sql: text, nullable: true };
    return { sql: `coalesce(${text}, ${this.#bind(missing)})`, nullable: false };
  }

  #measure(measure: Measure): string {
    const filter = measure.where ? ` FILTER (WHERE ${this.#filter(measure.where)})` : '';
    switch (measure.kind) {
      case 'count':
        return this.#plan?.kind === 'counts'
          ? `CAST(coalesce(sum(events)${filter}, 0) AS BIGINT)`
          : `count(*)${filter}`;
      case 'distinct': {
        const { sql, many } = this.#values(measure.field);
        if (measure.field === 'visitor') return `count(DISTINCT ${this.#visitor()})${filter}`;
        return many
          ? `coalesce(len(list_distinct(flatten(list(DISTINCT ${sql})${filter}))), 0)`
          : `count(DISTINCT ${sql})${filter}`;
      }
      case 'sum':
      case 'average':
      case 'min':
      case 'max':
      case 'percentile':
        return this.#numeric(measure, filter);
    }
  }

  /** An application key may hold several numbers, and each of them counts. */
  #numeric(measure: Exclude<Measure, { kind: 'count' | 'distinct' }>, filter: string): string {
    const { sql, many } = this.#numbers(measure.field);
    switch (measure.kind) {
      case 'sum':
        return `coalesce(sum(${many ? `list_sum(${sql})` : sql})${filter}, 0)`;
      case 'average':
        return many
          ? `sum(list_sum(${sql}))${filter} / sum(len(${sql}))${filter}`
          : `avg(${sql})${filter}`;
      case 'min':
      case 'max':
        return `${measure.kind}(${many ? `list_${measure.kind}(${sql})` : sql})${filter}`;
      case 'percentile': {
        const at = this.#bind(measure.at / 100);
        return many
          ? `list_aggregate(flatten(list(${sql})${filter}), 'quantile_cont', ${at})`
          : `quantile_cont(${sql}, ${at})${filter}`;
      }
    }
  }

  /**
   * A filter as SQL that is true where it holds and false or null where not: only `not` has to
   * tell those two apart, and the engine skips row groups by bare comparisons alone.
   */
  #filter(filter: Filter): string {
    switch (filter.kind) {
      case 'and':
      case 'or': {
        const parts = filter.filters.map((part) => this.#filter(part));
        if (parts.length === 0) return filter.kind === 'and' ? 'true' : 'false';
        return `(${parts.join(filter.kind === 'and' ? ' AND ' : ' OR ')})`;
      }
      case 'not':
        return `NOT coalesce(${this.#filter(filter.filter)}, false)`;
      case 'exists':
        return this.#exists(filter.field);
      case 'equals':
        return this.#isOneOf(filter.field, [filter.value]);
      case 'in':
        return this.#isOneOf(filter.field, filter.values);
      case 'prefix':
        return this.#some(
          this.#values(filter.field),
          (value) => `starts_with(${value}, ${this.#bind(filter.value)})`,
        );
      case 'range':
        return this.#some(this.#numbers(filter.field), (value) => {
          const ends = [
            ...(filter.gte === undefined ? [] : [`${value} >= ${this.#bind(filter.gte)}`]),
            ...(filter.lt === undefined ? [] : [`${value} < ${this.#bind(filter.lt)}`]),
          ];
          return `(${ends.join(' AND ')})`;
        });
    }
  }

  #exists(name: string): string {
    const field = resolveField(name);
    return field.kind === 'application'
      ? `json_exists(labels, ${this.#bind(jsonPointer(field.key))})`
      : `${quoted(field.at)} IS NOT NULL`;
  }

  #isOneOf(name: string, wanted: readonly Scalar[]): string {
    if (wanted.length === 0) return 'false';
    const { sql, many, type } = this.#values(name);
    const params = wanted.map((value) => this.#bind(comparable(value, type)));
    if (!many) {
      return params.length === 1 ? `${sql} = ${params[0]}` : `${sql} IN (${params.join(', ')})`;
    }
    const has = `list_has_any(${sql}, [${params.join(', ')}])`;
    if (resolveField(name).kind === 'known' || !wanted.every(isPlain)) return has;
    // Four times as fast where few events have the value: most are sorted out without a parser.
    const may = params.map((param) => `contains(labels, ${param})`);
    return `(${may.join(' OR ')}) AND ${has}`;
  }

  #some(values: Values, test: (value: string) => string): string {
    if (!values.many) return test(values.sql);
    return `len(list_filter(${values.sql}, lambda x: ${test('x')})) > 0`;
  }

  /** The values that count, group and compare. */
  #values(name: string): Values {
    const field = resolveField(name);
    if (field.kind === 'application') {
      const sql = `texts(labels, ${this.#bind(jsonPointer(field.key))})`;
      return { sql, many: true, type: 'keyword' };
    }
    const column = quoted(field.at);
    if (field.many) return { sql: `list_distinct(${column})`, many: true, type: field.type };
    const sql = field.type === 'time' ? `epoch_ms(${column})` : column;
    return { sql, many: false, type: field.type };
  }

  /** The values that numeric measures and ranges see. */
  #numbers(name: string): Values {
    const field = resolveField(name);
    if (field.kind === 'known') return this.#values(name);
    const sql = `numbers(metrics, ${this.#bind(jsonPointer(field.key))})`;
    return { sql, many: true, type: 'number' };
  }

  /**
   * Start of a bucket. The zone's offsets over the range come as constants, so that grouping is
   * arithmetic: hours and minutes are instants, the longer ones local starts (see `localStarts`).
   */
  #bucket(interval: Interval): string {
    const { range, timeZone = 'UTC' } = this.#query;
    const hasMs = this.#plan !== undefined && this.#plan.kind !== 'excerpt';
    const time = hasMs ? 'ms' : 'epoch_ms("@timestamp")';
    const local = `(${time} + ${offsetSql(offsetSpans(range.from, range.to, timeZone), time)})`;
    switch (interval) {
      case 'minute':
        return `${time} - ${local} % 60000`;
      case 'hour':
        return this.#hour(time, `${time} - ${local} % ${HOUR_MS}`);
      case 'day':
        return `${local} - ${local} % 86400000`;
      case 'week':
      case 'month':
        return `epoch_ms(date_trunc('${interval}', make_timestamp(${local} * 1000)))`;
    }
  }

  /** Start of an hour, given as it is in all but those that are odd in the zone. */
  #hour(time: string, start: string): string {
    const { range, timeZone = 'UTC' } = this.#query;
    const odd = oddHours(range, timeZone).map(
      ({ from, to }) => `WHEN ${time} >= ${from} AND ${time} < ${to} THEN ${from}`,
    );
    return odd.length === 0 ? start : `CASE ${odd.join(' ')} ELSE ${start} END`;
  }

  /** Equal values share a parameter, so that the engine sees equal expressions as equal. */
  #bind(value: Param): string {
    const index = this.#params.indexOf(value);
    return `$${index === -1 ? this.#params.push(value) : index + 1}`;
  }
}

const HOUR_MS = 3_600_000;

interface Values {
  readonly sql: string;
  /** `sql` is a list of different values. */
  readonly many: boolean;
  readonly type: FieldType;
}

/** Rows lie by the item's key. */
function keysOf(filter: Filter | undefined): readonly string[] {
  const items = heldTo(filter, 'item');
  return items?.length ? [`  AND key IN (${items.map(itemKey).join(', ')})`] : [];
}

function localStartsOf(dimensions: readonly (readonly [string, Dimension])[]): ReadonlySet<string> {
  const days = dimensions.filter(
    ([, d]) => d.kind === 'time' && d.interval !== 'minute' && d.interval !== 'hour',
  );
  return new Set(days.map(([name]) => name));
}

function grouped(dimension: Dimension, index: number): string {
  const field = dimension.kind === 'field' ? resolveField(dimension.field) : undefined;
  const text = field && (field.kind === 'application' || field.type === 'keyword');
  return text ? `exact(d${index})` : `d${index}`;
}

/** Text fields and application keys compare any scalar as text. */
function comparable(value: Scalar, type: FieldType): Param {
  return type === 'keyword' ? String(value) : value;
}

/** In JSON the value stands as it is, without an escape. */
function isPlain(value: Scalar): boolean {
  return JSON.stringify(String(value)) === `"${value}"`;
}

/** RFC 6901: unlike a JSON path it can name any key. */
function jsonPointer(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A decision tree over the offsets, so that a range of many years costs a few comparisons. */
function offsetSql(spans: readonly OffsetSpan[], time: string): string {
  const middle = Math.floor(spans.length / 2);
  const [first] = spans;
  const before = spans[middle - 1];
  if (!before) return String(first?.offsetMs ?? 0);
  const [left, right] = [spans.slice(0, middle), spans.slice(middle)];
  return `CASE WHEN ${time} < ${before.until} THEN ${offsetSql(left, time)} ELSE ${offsetSql(right, time)} END`;
}

import type { FieldName, FieldType } from '../../event.ts';
import { resolveField } from '../../query/field.ts';
import type { Dimension, Filter, Interval, Query, Scalar } from '../../query/query.ts';
import { type OffsetSpan, oddHours, offsetSpans } from '../../query/time-zone.ts';
import type { RollupPlan } from './rollup-plan.ts';
import { quoted } from './schema.ts';
import type { Param } from './session.ts';

/** What a query says of one row, as SQL, and the parameters that are bound on the way. */
export class Expressions {
  readonly #query: Pick<Query, 'range' | 'timeZone'>;
  readonly #params: Param[] = [];
  /** Of a row, in epoch ms: rows of counts have no timestamp. */
  readonly #time: string;
  /** The column that tells visitors apart. */
  readonly visitor: string;

  constructor(query: Pick<Query, 'range' | 'timeZone'>, plan?: RollupPlan) {
    this.#query = query;
    const hasMs = plan !== undefined && plan.kind !== 'excerpt';
    this.#time = hasMs ? 'ms' : 'epoch_ms("@timestamp")';
    this.visitor = plan?.kind === 'excerpt' ? plan.visitor : '"user.id"';
  }

  dimension(dimension: Dimension): { readonly sql: string; readonly nullable: boolean } {
    if (dimension.kind === 'time') {
      return { sql: this.#bucket(dimension.interval), nullable: false };
    }
    const { field, missing } = dimension;
    const values = this.values(field);
    if (values.many) {
      const { sql } = values;
      const filled = missing === undefined ? sql : `coalesce(${sql}, [${this.bind(missing)}])`;
      return { sql: `unnest(${filled})`, nullable: false };
    }
    const text = values.type === 'boolean' ? `CAST(${values.sql} AS VARCHAR)` : values.sql;
    if (missing === undefined) return { sql: text, nullable: true };
    return { sql: `coalesce(${text}, ${this.bind(missing)})`, nullable: false };
  }

  /**
   * A filter as SQL that is true where it holds and false or null where not: only `not` has to
   * tell those two apart, and the engine skips row groups by bare comparisons alone.
   */
  filter(filter: Filter): string {
    switch (filter.kind) {
      case 'and':
      case 'or': {
        const parts = filter.filters.map((part) => this.filter(part));
        if (parts.length === 0) return filter.kind === 'and' ? 'true' : 'false';
        return `(${parts.join(filter.kind === 'and' ? ' AND ' : ' OR ')})`;
      }
      case 'not':
        return `NOT coalesce(${this.filter(filter.filter)}, false)`;
      case 'exists':
        return this.#exists(filter.field);
      case 'equals':
        return this.#isOneOf(filter.field, [filter.value]);
      case 'in':
        return this.#isOneOf(filter.field, filter.values);
      case 'prefix':
        return this.#some(
          this.values(filter.field),
          (value) => `starts_with(${value}, ${this.bind(filter.value)})`,
        );
      case 'range':
        return this.#some(this.numbers(filter.field), (value) => {
          const ends = [
            ...(filter.gte === undefined ? [] : [`${value} >= ${this.bind(filter.gte)}`]),
            ...(filter.lt === undefined ? [] : [`${value} < ${this.bind(filter.lt)}`]),
          ];
          return `(${ends.join(' AND ')})`;
        });
    }
  }

  /** A field of one value as rows have it. */
  plain(name: FieldName): string {
    const { sql, type } = this.values(name);
    if (type === 'boolean') return `CAST(${sql} AS VARCHAR)`;
    return type === 'keyword' ? `exact(${sql})` : sql;
  }

  /** The values that count, group and compare. */
  values(name: string): Values {
    const field = resolveField(name);
    if (field.kind === 'application') {
      const sql = `texts(labels, ${this.bind(jsonPointer(field.key))})`;
      return { sql, many: true, type: 'keyword' };
    }
    const column = quoted(field.at);
    if (field.many) return { sql: `list_distinct(${column})`, many: true, type: field.type };
    const sql = field.type === 'time' ? `epoch_ms(${column})` : column;
    return { sql, many: false, type: field.type };
  }

  /** The values that numeric measures and ranges see. */
  numbers(name: string): Values {
    const field = resolveField(name);
    if (field.kind === 'known') return this.values(name);
    const sql = `numbers(metrics, ${this.bind(jsonPointer(field.key))})`;
    return { sql, many: true, type: 'number' };
  }

  /** Equal values share a parameter, so that the engine sees equal expressions as equal. */
  bind(value: Param): string {
    const index = this.#params.indexOf(value);
    return `$${index === -1 ? this.#params.push(value) : index + 1}`;
  }

  /** In the order of their numbers. */
  get params(): readonly Param[] {
    return this.#params;
  }

  #exists(name: string): string {
    const field = resolveField(name);
    return field.kind === 'application'
      ? `json_exists(labels, ${this.bind(jsonPointer(field.key))})`
      : `${quoted(field.at)} IS NOT NULL`;
  }

  #isOneOf(name: string, wanted: readonly Scalar[]): string {
    if (wanted.length === 0) return 'false';
    const { sql, many, type } = this.values(name);
    const params = wanted.map((value) => this.bind(comparable(value, type)));
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

  /**
   * Start of a bucket. The zone's offsets over the range come as constants, so that grouping is
   * arithmetic: hours and minutes are instants, the longer ones local starts (see `CompiledQuery`).
   */
  #bucket(interval: Interval): string {
    const { range, timeZone = 'UTC' } = this.#query;
    const time = this.#time;
    const local = `(${time} + ${offsetSql(offsetSpans(range.from, range.to, timeZone), time)})`;
    switch (interval) {
      case 'minute':
        return `${time} - ${local} % 60000`;
      case 'hour':
        return this.#hour(`${time} - ${local} % ${HOUR_MS}`);
      case 'day':
        return `${local} - ${local} % 86400000`;
      case 'week':
      case 'month':
        return `epoch_ms(date_trunc('${interval}', make_timestamp(${local} * 1000)))`;
    }
  }

  /** Start of an hour, given as it is in all but those that are odd in the zone. */
  #hour(start: string): string {
    const { range, timeZone = 'UTC' } = this.#query;
    const time = this.#time;
    const odd = oddHours(range, timeZone).map(
      ({ from, to }) => `WHEN ${time} >= ${from} AND ${time} < ${to} THEN ${from}`,
    );
    return odd.length === 0 ? start : `CASE ${odd.join(' ')} ELSE ${start} END`;
  }
}

const HOUR_MS = 3_600_000;

interface Values {
  readonly sql: string;
  /** `sql` is a list of different values. */
  readonly many: boolean;
  readonly type: FieldType;
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

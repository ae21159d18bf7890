import { partsOf } from '../../query/beyond-declared.ts';
import type { Dimension, Filter, Query, Range } from '../../query/query.ts';
import type { Expressions } from './expressions.ts';
import { type Partial, partialsOf } from './partials.ts';
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

/** What a query reads: events, or with a plan rows of rollups too. */
export class Sources {
  readonly #query: Query;
  readonly #expressions: Expressions;
  readonly #plan: RollupPlan | undefined;

  constructor(query: Query, expressions: Expressions, plan?: RollupPlan) {
    this.#query = query;
    this.#expressions = expressions;
    this.#plan = plan;
  }

  /**
   * The events asked for, with a column `d0`, `d1`, … for each dimension. Each dimension of many
   * values wraps another SELECT, because two `unnest` in one would walk side by side.
   */
  rows(dimensions: readonly Dimension[]): string {
    if (this.#plan?.kind === 'declared') {
      const times = dimensions.map((one) => (one.kind === 'time' ? one : undefined));
      return this.#withDimensions(times, this.#declaredRows(this.#plan));
    }
    const rows =
      this.#plan?.kind === 'counts' ? this.#rolledUp(this.#plan) : this.events(this.#query.filter);
    return this.#withDimensions(dimensions, rows);
  }

  /** Events for which a filter holds: with a plan as far as they are in an excerpt, from there. */
  events(filter: Filter | undefined): string {
    const plan = this.#plan;
    if (plan?.kind !== 'excerpt') return `events\nWHERE ${this.#where(filter)}`;
    const { table, columns, fromEvents, upTo, counted, behind, live } = plan;
    const events = (range: Range): string =>
      `SELECT ${fromEvents.join(', ')} FROM events\nWHERE ${this.#where(filter, range)}`;
    const branches = [
      ...counted.map((range) =>
        [
          `SELECT ${columns.join(', ')} FROM ${table}`,
          `WHERE run <= ${upTo} AND slot >= ${Math.floor(range.from / DAY_MS)} AND slot < ${Math.ceil(range.to / DAY_MS)}`,
          ...keysOf(filter),
          ...this.#ofExcerpt(filter, range, plan).map((part) => `  AND ${part}`),
        ].join('\n'),
      ),
      ...behind.map((range) => `${events(range)}\n  AND batch > ${upTo}`),
      ...live.map(events),
    ];
    return `(${branches.join('\nUNION ALL\n')})`;
  }

  /** A row for each event and value of its fields, with what the measures are made of. */
  perEvent(columns: string, rows: string): string {
    const dimensions = Object.values(this.#query.dimensions ?? {});
    const fields = dimensions.map((one) => (one.kind === 'field' ? one : undefined));
    const source = this.#withDimensions(fields, rows);
    const values = this.#partials().map(({ name, sql }) => `${sql} AS ${name}`);
    const named = columns === '*' ? [] : this.fieldColumns();
    return `SELECT ${[columns, ...named, ...values].join(', ')} FROM ${source}`;
  }

  /** Names of the dimensions that are fields: `d0`, `d2`, … */
  fieldColumns(): readonly string[] {
    const dimensions = Object.values(this.#query.dimensions ?? {});
    return dimensions.flatMap((one, index) => (one.kind === 'field' ? [`d${index}`] : []));
  }

  /** One branch for each stretch of time, and few: the engine plans each for longer than it runs. */
  #rolledUp({ name, tables, upTo, behind, live }: CountsPlan): string {
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
          ...(filter ? [`  AND ${this.#expressions.filter(filter)}`] : []),
        ].join('\n');
      }),
      ...behind.map((range) => `${events(range)}\n  AND batch > ${upTo}`),
      ...live.map(events),
    ];
    return `(${branches.join('\nUNION ALL\n')})`;
  }

  /** Likewise of the rollup of a declared query, whose rows have its dimensions already. */
  #declaredRows({ table, stepMs, filter, upTo, counted, behind, live }: DeclaredPlan): string {
    const columns = [...this.fieldColumns(), ...this.#partials().map(({ name }) => name)];
    const events = (range: Range, and = ''): string =>
      this.perEvent(
        'epoch_ms("@timestamp") AS ms',
        `events\nWHERE ${this.#where(this.#query.filter, range)}${and}`,
      );
    const branches = [
      ...counted.map(({ from, to }) =>
        [
          `SELECT ${[`CAST(slot AS BIGINT) * ${stepMs} AS ms`, ...columns].join(', ')} FROM ${table}`,
          `WHERE run <= ${upTo} AND slot >= ${from / stepMs} AND slot < ${to / stepMs}`,
          ...keysOf(filter),
          `  AND ${this.#expressions.filter(filter)}`,
        ].join('\n'),
      ),
      ...behind.map((range) => events(range, `\n  AND batch > ${upTo}`)),
      ...live.map((range) => events(range)),
    ];
    return `(${branches.join('\nUNION ALL\n')})`;
  }

  #withDimensions(dimensions: readonly (Dimension | undefined)[], rows: string): string {
    let source = rows;
    for (const [index, dimension] of dimensions.entries()) {
      if (dimension === undefined) continue;
      const column = this.#expressions.dimension(dimension);
      const inner = `SELECT *, ${column.sql} AS d${index} FROM ${source}`;
      source = column.nullable ? `(${inner})\nWHERE d${index} IS NOT NULL` : `(${inner})`;
    }
    return source;
  }

  #partials(): readonly Partial[] {
    return partialsOf(this.#query.measures, this.#expressions);
  }

  #where(filter: Filter | undefined, range: Range = this.#query.range): string {
    const parts = [...this.#within(range), ...(filter ? [this.#expressions.filter(filter)] : [])];
    return parts.join('\n  AND ');
  }

  #within({ from, to }: Range): readonly string[] {
    return [
      `"@timestamp" >= ${this.#expressions.bind(new Date(from))}`,
      `"@timestamp" < ${this.#expressions.bind(new Date(to))}`,
    ];
  }

  /** What is left to ask of rows of an excerpt, of certain days and events: each column costs. */
  #ofExcerpt(filter: Filter | undefined, range: Range, plan: ExcerptPlan): readonly string[] {
    const areWhole = range.from % DAY_MS === 0 && range.to % DAY_MS === 0;
    const isOfAll = (part: Filter): boolean =>
      (part.kind === 'equals' || part.kind === 'in') &&
      plan.events.every((event) => heldTo(part, 'event')?.includes(event));
    const parts = partsOf(filter).filter((part) => !isOfAll(part));
    return [
      ...(areWhole ? [] : this.#within(range)),
      ...parts.map((part) =>
        part.kind === 'exists' && part.field === 'visitor'
          ? `${plan.visitor} IS NOT NULL`
          : this.#expressions.filter(part),
      ),
    ];
  }
}

/** Rows lie by the item's key. */
function keysOf(filter: Filter | undefined): readonly string[] {
  const items = heldTo(filter, 'item');
  return items?.length ? [`  AND key IN (${items.map(itemKey).join(', ')})`] : [];
}

import { resolveField } from '../../query/field.ts';
import type { DeclaredRows } from '../../query/declared.ts';
import { fullOrder } from '../../query/order-rows.ts';
import {
  QUERY_LIMITS,
  type Dimension,
  type Filter,
  type Measure,
  type Query,
} from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { Expressions } from './expressions.ts';
import { merged, partialsOf } from './partials.ts';
import { type CountsPlan, type ExcerptPlan, heldTo, type RollupPlan } from './rollup-plan.ts';
import { itemKey, type RollupValue } from './rollup.ts';
import { quoted } from './schema.ts';
import type { Statement } from './session.ts';
import { Sources } from './sources.ts';

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
  const { measures, dimensions = {}, limit = QUERY_LIMITS.rowsMax } = query;
  const expressions = new Expressions(query, plan);
  const sources = new Sources(query, expressions, plan);
  const groups = Object.entries(dimensions);
  const columns = [...Object.keys(dimensions), ...Object.keys(measures)];
  const keyed = keyedItems(query, plan);
  const byKey = (d: Dimension): boolean =>
    keyed !== undefined && d.kind === 'field' && d.field === 'item';
  const selected = [
    ...groups.map(
      ([name, d], index) =>
        `${keyed && byKey(d) ? itemsByKey(keyed, expressions) : grouped(d, index)} AS ${quoted(name)}`,
    ),
    ...Object.entries(measures).map(
      ([name, m], index) =>
        `${plan?.kind === 'declared' ? merged(m, index) : measured(m, expressions, plan)} AS ${quoted(name)}`,
    ),
  ];
  const order = fullOrder(query).map(
    ({ by, direction }) => `${quoted(by)} ${direction === 'ascending' ? 'ASC' : 'DESC'} NULLS LAST`,
  );
  const sql = [
    `SELECT ${selected.join(',\n       ')}`,
    `FROM ${sources.rows(groups.map(([, dimension]) => dimension))}`,
    ...(groups.length > 0
      ? [
          `GROUP BY ${groups.map(([, d], index) => (byKey(d) ? 'key' : `d${index}`)).join(', ')}`,
          `ORDER BY ${order.join(', ')}`,
          `LIMIT ${limit}`,
        ]
      : []),
  ].join('\n');
  return { sql, params: expressions.params, columns, localStarts: localStartsOf(groups) };
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
  const expressions = new Expressions(query, plan);
  const sources = new Sources(query, expressions, plan);
  const dimensions = Object.entries(query.dimensions ?? {});
  const names = dimensions.map((_, index) => `d${index}`);
  const valued = dimensions.map(([, d], index) => `${expressions.dimension(d).sql} AS d${index}`);
  const marks = own.map(
    (filter, index) => `coalesce(${expressions.filter(filter)}, false) AS o${index}`,
  );
  const set = names.map((name, index) => `WHEN grouping(${name}) = 0 THEN ${index}`);
  const sql = [
    `SELECT CASE ${set.join(' ')} END,`,
    `  ${dimensions.map(([, d], index) => grouped(d, index)).join(', ')},`,
    `  CAST(sum(events) AS BIGINT)`,
    `FROM (SELECT *, ${[...valued, ...marks].join(', ')} FROM ${sources.rows([])})`,
    `GROUP BY GROUPING SETS (${names.map((name, index) => `(${name}, o${index})`).join(', ')})`,
    `HAVING coalesce(${names.map((_, index) => `o${index}`).join(', ')})`,
  ].join('\n');
  const columns = ['set', ...names, 'count'];
  return { sql, params: expressions.params, columns, localStarts: localStartsOf(dimensions) };
}

/**
 * What a declared query is made of, for its rollup. `sql` gives a row for each event and value of
 * its dimensions, of the table `counted`; the measures are made of `values`, put together by `merge`.
 */
export interface CompiledParts extends Statement {
  readonly groups: readonly string[];
  readonly values: readonly RollupValue[];
}

export function compileParts(declared: DeclaredRows): CompiledParts {
  const query: Query = { ...declared, range: { from: 0, to: 0 } };
  const expressions = new Expressions(query);
  const sources = new Sources(query, expressions);
  const filter = query.filter ? expressions.filter(query.filter) : 'true';
  const sql = sources.perEvent('*', `counted\nWHERE ${filter}`);
  const partials = partialsOf(query.measures, expressions);
  const values = partials.map(({ name, type, merge }) => ({ name, type, merge }));
  return { sql, params: expressions.params, groups: sources.fieldColumns(), values };
}

/** Compiles a checked scan likewise; the columns are its fields and marks. */
export function compileScan(scan: Scan, plan?: ExcerptPlan): CompiledQuery {
  const { fields, marks = {}, filter, visitors, range, limit } = scan;
  const expressions = new Expressions({ range }, plan);
  const sources = new Sources({ measures: {}, range }, expressions, plan);
  const { visitor } = expressions;
  const columns = [...fields, ...Object.keys(marks)];
  const selected = [
    ...fields.map((name) => `${expressions.plain(name)} AS ${quoted(name)}`),
    ...Object.entries(marks).map(
      ([name, mark]) =>
        `CAST(coalesce(${expressions.filter(mark)}, false) AS INTEGER) AS ${quoted(name)}`,
    ),
  ];
  const sql = [
    `SELECT ${selected.join(',\n       ')}`,
    `FROM (SELECT * FROM ${sources.events(filter)}) AS events`,
    ...(visitors ? [`WHERE ${visitor} IN (${newest(visitors, visitor, sources)})`] : []),
    'ORDER BY events."user.id" NULLS LAST, events."@timestamp", "journal.collector", "journal.sequence"',
    `LIMIT ${limit}`,
  ].join('\n');
  return { sql, params: expressions.params, columns, localStarts: new Set() };
}

function newest(
  { having, limit }: NonNullable<Scan['visitors']>,
  visitor: string,
  sources: Sources,
): string {
  return [
    `SELECT ${visitor} FROM (SELECT * FROM ${sources.events(having)})`,
    `WHERE ${visitor} IS NOT NULL`,
    `GROUP BY ${visitor} ORDER BY max("@timestamp") DESC, min("user.id") LIMIT ${limit}`,
  ].join('\n    ');
}

function measured(measure: Measure, expressions: Expressions, plan?: RollupPlan): string {
  const filter = measure.where ? ` FILTER (WHERE ${expressions.filter(measure.where)})` : '';
  switch (measure.kind) {
    case 'count':
      return plan?.kind === 'counts'
        ? `CAST(coalesce(sum(events)${filter}, 0) AS BIGINT)`
        : `count(*)${filter}`;
    case 'distinct': {
      const { sql, many } = expressions.values(measure.field);
      if (measure.field === 'visitor') return `count(DISTINCT ${expressions.visitor})${filter}`;
      return many
        ? `coalesce(len(list_distinct(flatten(list(DISTINCT ${sql})${filter}))), 0)`
        : `count(DISTINCT ${sql})${filter}`;
    }
    case 'sum':
    case 'average':
    case 'min':
    case 'max':
    case 'percentile':
      return numeric(measure, filter, expressions);
  }
}

/** An application key may hold several numbers, and each of them counts. */
function numeric(
  measure: Exclude<Measure, { kind: 'count' | 'distinct' }>,
  filter: string,
  expressions: Expressions,
): string {
  const { sql, many } = expressions.numbers(measure.field);
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
      const at = expressions.bind(measure.at / 100);
      return many
        ? `list_aggregate(flatten(list(${sql})${filter}), 'quantile_cont', ${at})`
        : `quantile_cont(${sql}, ${at})${filter}`;
    }
  }
}

/** Items by whose keys a query can group: they are all that it is about, and no two have one key. */
function keyedItems(
  { filter }: Query,
  plan: RollupPlan | undefined,
): ReadonlyMap<number, string> | undefined {
  if (plan?.kind !== 'excerpt') return undefined;
  const items = new Set(heldTo(filter, 'item'));
  const byKey = new Map([...items].map((item) => [itemKey(item), item]));
  return byKey.size > 0 && byKey.size === items.size ? byKey : undefined;
}

/** Numbers are put together at half the cost of texts. */
function itemsByKey(byKey: ReadonlyMap<number, string>, expressions: Expressions): string {
  const items = [...byKey.values()].map((item) => expressions.bind(item));
  return `exact(map([${[...byKey.keys()].join(', ')}], [${items.join(', ')}])[key])`;
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

import { fieldsOf } from '../../query/fields-of.ts';
import { resolveField } from '../../query/field.ts';
import type { Filter, Query } from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { DAY_MS, type ExcerptPlan, heldTo, type RollupState, stretchesOf } from './rollup-plan.ts';
import { type Rollup, type RollupTable, slotSql } from './rollup.ts';
import { type EventColumn, eventColumns, quoted } from './schema.ts';

/**
 * Some of the events once more, with some of their columns, in an order in which few of them need
 * be read. A row is an event, and goes with it; what a question says of the events holds of rows.
 */
export interface Excerpt extends Rollup {
  /** Which events are in it, by what happened. */
  readonly events: readonly string[];
  readonly columns: readonly EventColumn[];
  readonly table: RollupTable;
}

/** Known in an excerpt by a number (see the macro `visitor_key`), which is compared at a tenth of the cost. */
const VISITOR_KEY = 'visitor_key("user.id") AS visitor';

export const excerpts: readonly Excerpt[] = [
  // One in a hundred events, looked for among all of them.
  excerpt('errors', 'item', ['error'], eventColumns),
  // What visitors did after what: all events of those who used an item.
  excerpt(
    'uses',
    'visitor',
    ['view', 'download'],
    [
      'journal.collector',
      'journal.sequence',
      '@timestamp',
      'event.action',
      'service.name',
      'item',
      'bot',
      'user.id',
      'visitor.daily',
      'session.id',
      'referer',
    ],
  ),
];

function excerpt(
  name: string,
  sortedBy: 'item' | 'visitor',
  events: readonly string[],
  columns: readonly EventColumn[],
): Excerpt {
  const hasKeys = sortedBy === 'visitor';
  const table: RollupTable = {
    name: `rollup_${name}`,
    stepMs: DAY_MS,
    groups: [...columns.map(quoted), ...(hasKeys ? ['visitor'] : [])],
    values: [],
    sortedBy,
  };
  const selected = [...columns.map(quoted), ...(hasKeys ? [VISITOR_KEY] : [])].join(', ');
  const actions = events.map((event) => `'${event}'`).join(', ');
  return {
    name,
    title: name,
    events,
    columns,
    table,
    tables: [table],
    isOfEvents: true,
    source: (where) =>
      `SELECT ${selected}, ${slotSql(DAY_MS)} AS slot
       FROM events WHERE ${where} AND "event.action" IN (${actions})`,
  };
}

/** The excerpt that holds all that a question is about; undefined: it takes the events themselves. */
export function planExcerpt(question: Query | Scan, state: RollupState): ExcerptPlan | undefined {
  const columns = columnsOf(question);
  for (const one of excerpts) {
    const isAllHeld = filtersOf(question).every((filter) =>
      heldTo(filter, 'event')?.every((event) => one.events.includes(event)),
    );
    if (!isAllHeld || !columns.every((column) => one.columns.includes(column))) continue;
    // Rows have the very time of their events: any stretch can be read.
    const stretches = stretchesOf(question, 1, one.name, state);
    if (!stretches) continue;
    const hasKeys = one.table.groups.includes('visitor');
    return {
      kind: 'excerpt',
      table: one.table.name,
      events: one.events,
      columns: ['key', ...columns.map(quoted), ...(hasKeys ? ['visitor'] : [])],
      fromEvents: [
        'item_key(item) AS key',
        ...columns.map(quoted),
        ...(hasKeys ? [VISITOR_KEY] : []),
      ],
      visitor: hasKeys ? 'visitor' : '"user.id"',
      ...stretches,
    };
  }
  return undefined;
}

/** What the events of a question are chosen by: each of these is held to some. */
function filtersOf(question: Query | Scan): readonly (Filter | undefined)[] {
  const visitors = 'visitors' in question ? question.visitors : undefined;
  return [question.filter, ...(visitors ? [visitors.having] : [])];
}

function columnsOf(question: Query | Scan): readonly EventColumn[] {
  const fields = 'measures' in question ? fieldsOfQuery(question) : fieldsOfScan(question);
  const filters = filtersOf(question).flatMap((filter) => (filter ? fieldsOf(filter) : []));
  return [...new Set(['time', ...fields, ...filters].flatMap(columnsOfField))];
}

function fieldsOfQuery({ measures, dimensions = {} }: Query): readonly string[] {
  return [
    ...Object.values(dimensions).flatMap((one) => (one.kind === 'field' ? [one.field] : [])),
    ...Object.values(measures).flatMap((one) => [
      ...('field' in one ? [one.field] : []),
      ...(one.where ? fieldsOf(one.where) : []),
    ]),
  ];
}

/** Rows are in the order of visitor, time and place. */
function fieldsOfScan({ fields, marks = {} }: Scan): readonly string[] {
  return [...fields, ...Object.values(marks).flatMap(fieldsOf), 'visitor', 'collector', 'sequence'];
}

function columnsOfField(name: string): readonly EventColumn[] {
  const field = resolveField(name);
  return field.kind === 'known' ? [field.at as EventColumn] : ['labels', 'metrics'];
}

import { createHash } from 'node:crypto';
import { FIELDS } from '../../event.ts';
import { COUNTS, type CountsName, countsNames } from './rollup-plan.ts';
import { quoted } from './schema.ts';

/** The tables of a rollup are made, counted and dropped together. */
export interface Rollup {
  readonly name: string;
  /** What an operator calls it. */
  readonly title: string;
  readonly tables: readonly RollupTable[];
  /** Rows of the events for which a condition holds, with the columns of the finest table. */
  readonly source: (where: string) => string;
  /** Its rows are events, and are not kept longer than they. */
  readonly isOfEvents?: true;
}

/**
 * Rows of a table that are alike in `slot` (the stretch of time, in steps since 1970) and in
 * `groups` can be put together by `merge`. `run` is the state with which a row came. The rows of a
 * period of four weeks lie together, sorted by
 * - `item`, for questions about one: by a `key` that is made of it
 * - `event`, for questions about all items
 * - `slot`, where there are no items
 * - `visitor`, day by day, for questions about what visitors did: never put in order anew, for a run
 *   is in order, and how many there are changes nothing
 */
export interface RollupTable {
  readonly name: string;
  readonly stepMs: number;
  /** Columns, quoted. */
  readonly groups: readonly string[];
  /** None: rows are never put together. */
  readonly values: readonly RollupValue[];
  readonly sortedBy: 'item' | 'event' | 'slot' | 'visitor';
  /** The table whose rows are summed up in this one, instead of events. */
  readonly sumOf?: string;
}

export interface RollupValue {
  readonly name: string;
  readonly type: 'BIGINT' | 'DOUBLE';
  readonly merge: 'sum' | 'min' | 'max';
}

const LAID_OUT = {
  site_quarters: { sortedBy: 'slot', sumOf: tableName('item_quarters') },
  site_days: { sortedBy: 'slot', sumOf: tableName('item_details') },
  item_days: { sortedBy: 'item' },
  item_details: { sortedBy: 'item' },
  item_quarters: { sortedBy: 'item' },
  item_weeks: { sortedBy: 'event', sumOf: tableName('item_days') },
} as const satisfies Record<CountsName, Pick<RollupTable, 'sortedBy' | 'sumOf'>>;

/** The counts by which every tock is answered. */
export const counts: Rollup = {
  name: 'counts',
  title: 'tock',
  tables: countsNames.map((name) => ({
    name: tableName(name),
    stepMs: COUNTS[name].stepMs,
    groups: COUNTS[name].fields.map((field) => quoted(FIELDS[field].at)),
    values: [{ name: 'events', type: 'BIGINT', merge: 'sum' }],
    ...LAID_OUT[name],
  })),
  source: (where) =>
    `SELECT ${columnsOf('item_details')}, ${slotSql(COUNTS.item_quarters.stepMs)} AS slot,
       count(*) AS events FROM events WHERE ${where} GROUP BY ALL`,
};

export function tableName(name: CountsName): string {
  return `rollup_${name}`;
}

export function columnsOf(name: CountsName): string {
  return COUNTS[name].fields.map((field) => quoted(FIELDS[field].at)).join(', ');
}

/** The stretch of time of an event, in steps since 1970. */
export function slotSql(stepMs: number): string {
  return `CAST(floor(epoch_ms("@timestamp") / ${stepMs}) AS BIGINT)`;
}

/** The step of which those of the other tables are multiples. */
export function finestMs({ tables }: Pick<Rollup, 'tables'>): number {
  return Math.min(...tables.map(({ stepMs }) => stepMs));
}

/** All that the rows of a rollup depend on: of another definition, they are counted anew. */
export function definitionOf({ tables, source }: Rollup): string {
  return JSON.stringify([tables, source('')]);
}

/** Whether the tables are of this rollup as it is, by how it is noted: its name and definition. */
export function isNotedAs(rollup: Rollup, [name, definition]: readonly unknown[]): boolean {
  return name === rollup.name && definition === definitionOf(rollup);
}

/** The macro `item_key` (see the tables): the engine would make it twice for each statement. */
export function itemKey(item: string): number {
  return createHash('md5').update(item).digest().readUInt32LE(8);
}

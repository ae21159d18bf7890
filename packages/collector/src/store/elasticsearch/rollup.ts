import { FIELDS, type FieldName } from '../../event.ts';
import type { Filter } from '../../query/query.ts';
import type { Asked } from './compile.ts';

export const DAY_MS = 86_400_000;
export const QUARTER_MS = 900_000;

/** What is counted together of an index: all of it stands for the same events. */
export interface Rollup {
  /** Of another definition it is another. */
  readonly name: string;
  /** The declared query that it is for, or several; `tock` for what every store keeps. */
  readonly title: string;
  readonly tables: readonly Table[];
}

/** Counts of one kind: a document stands for the events of a step that are alike in its groups. */
export interface Table {
  readonly name: string;
  /** Part of the names of the indices that hold it, maybe beside others. */
  readonly place: string;
  /** Length of the stretch of time that a document is of. Quarter hours make the hours of any zone. */
  readonly stepMs: number;
  readonly groups: readonly Group[];
  /** Which events are counted; absent: all. */
  readonly filter?: Filter;
  /** What is kept of the events beside their number, under names of its own. */
  readonly values?: Asked['measures'];
}

export interface Group {
  /** Where events keep it, and so their counts. */
  readonly at: string;
  /** Events without it are left out; else they are alike. */
  readonly isRequired?: boolean;
}

interface Kind {
  readonly place: string;
  readonly stepMs: number;
  readonly fields: readonly FieldName[];
}

/** From the smaller: the first that can answer a query does. */
export const COUNTS = {
  site_days: {
    place: 'days',
    stepMs: DAY_MS,
    fields: ['app', 'event', 'bot', 'format', 'referer'],
  },
  site_quarters: { place: 'quarters', stepMs: QUARTER_MS, fields: ['app', 'event', 'bot'] },
  days: {
    place: 'days',
    stepMs: DAY_MS,
    fields: ['app', 'item', 'event', 'bot', 'format', 'referer'],
  },
  quarters: { place: 'quarters', stepMs: QUARTER_MS, fields: ['app', 'item', 'event', 'bot'] },
} as const satisfies Record<string, Kind>;

export type CountsName = keyof typeof COUNTS;

export const countsNames = Object.keys(COUNTS) as readonly CountsName[];

/** What the tock is made of. */
export const counts: Rollup = {
  name: 'counts',
  title: 'tock',
  tables: countsNames.map((name) => {
    const { place, stepMs, fields }: Kind = COUNTS[name];
    return { name, place, stepMs, groups: fields.map((field) => ({ at: FIELDS[field].at })) };
  }),
};

export function isByItem({ groups }: Table): boolean {
  return groups.some(({ at }) => at === FIELDS.item.at);
}

/** Names the version that a document is of. No event has it. */
export const VERSION = 'rollup.version';

/** The same of the few that know no item: these are found by it. */
export const SITE_VERSION = 'rollup.site';

export function versionAt(table: Table): string {
  return isByItem(table) ? VERSION : SITE_VERSION;
}

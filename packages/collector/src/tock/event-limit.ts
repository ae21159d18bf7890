import { MetronomeError } from '../errors.ts';
import { fieldsOf } from '../query/fields-of.ts';
import type { Filter, Query, Range } from '../query/query.ts';
import type { Scan } from '../query/scan.ts';
import { allOf } from './filters.ts';
import type { Reader, Statistic } from './statistic.ts';

/** Fields that stores find events by without looking at each. */
const FINDING: readonly string[] = ['app', 'item', 'event', 'bot'];
/** Fields by which stores count events ahead: such counts are cheap however many events there are. */
const COUNTED: readonly string[] = [...FINDING, 'format', 'referer'];

/**
 * How many events a question makes a store look at, at most: those of its range for which the
 * parts of its filter hold that stores find events by.
 */
export async function eventsRead(
  store: Reader,
  { filter, range }: Pick<Query | Scan, 'filter' | 'range'>,
): Promise<number> {
  const finding = partsOf(filter).filter((part) =>
    fieldsOf(part).every((field) => FINDING.includes(field)),
  );
  const measures = { events: { kind: 'count' } } as const;
  const [row] = await store.query({ measures, filter: allOf(...finding), range });
  return Number(row?.['events'] ?? 0);
}

/**
 * A store that refuses what would read more than `eventsMax` events, before it reads any; 0: it
 * refuses nothing. Counts that stores keep up, their own and the statistic's, are not looked at.
 */
export function withEventLimit(
  store: Reader,
  { isKeptUp = false }: Pick<Statistic, 'isKeptUp'>,
  eventsMax: number,
): Reader {
  if (isKeptUp || eventsMax === 0) return store;
  const known = new Map<string, Promise<void>>();
  const check = (question: { readonly filter?: Filter; readonly range: Range }): Promise<void> => {
    const { filter, range } = question;
    const name = JSON.stringify({ filter, range });
    const checked = known.get(name) ?? checkLimit(store, question, eventsMax);
    known.set(name, checked);
    return checked;
  };
  return {
    async query(query) {
      if (!isCounted(query)) await check(query);
      return store.query(query);
    },
    async *scan(scan) {
      await check(scan);
      yield* store.scan(scan);
    },
  };
}

async function checkLimit(
  store: Reader,
  question: Pick<Query | Scan, 'filter' | 'range'>,
  eventsMax: number,
): Promise<void> {
  const events = await eventsRead(store, question);
  if (events <= eventsMax) return;
  const [cost, limit] = [events, eventsMax].map((count) => count.toLocaleString('en'));
  const message = `this would read ${cost} events, and the limit is ${limit} (METRONOME_QUERY_EVENTS_MAX): ask for a shorter period, or for an item`;
  throw new MetronomeError('bad-request', message, { extensions: { events, eventsMax } });
}

function isCounted({ measures, dimensions = {}, filter }: Query): boolean {
  const fields = [
    ...Object.values(dimensions).flatMap((one) => (one.kind === 'field' ? [one.field] : [])),
    ...(filter ? fieldsOf(filter) : []),
  ];
  const isPlain = Object.values(measures).every(({ kind, where }) => kind === 'count' && !where);
  return isPlain && fields.every((field) => COUNTED.includes(field));
}

function partsOf(filter: Filter | undefined): readonly Filter[] {
  if (filter?.kind === 'and') return filter.filters.flatMap(partsOf);
  return filter === undefined ? [] : [filter];
}

import { MetronomeError } from '../errors.ts';
import { fieldsOf } from '../query/fields-of.ts';
import type { Filter, Query } from '../query/query.ts';
import type { Scan } from '../query/scan.ts';
import { allOf } from './filters.ts';
import type { CountingReader, Reader } from './statistic.ts';

/** Fields that stores find events by without looking at each. */
const FINDING: readonly string[] = ['app', 'item', 'event', 'bot'];

type Question = Pick<Query | Scan, 'filter' | 'range'>;

/**
 * How many events a question makes a store look at, at most: those of its range for which the
 * parts of its filter hold that stores find events by.
 */
export async function eventsRead(store: Reader, question: Question): Promise<number> {
  const measures = { events: { kind: 'count' } } as const;
  const [row] = await store.query({ measures, ...foundBy(question) });
  return Number(row?.['events'] ?? 0);
}

/**
 * A store for one request, all of whose questions together may read `eventsMax` events: it refuses
 * the one with which they would be more, before it reads any for that; 0: it refuses nothing. What
 * several questions read of the same events is one reading. What the store has counted ahead is
 * not looked at.
 */
export function withEventLimit(store: CountingReader, eventsMax: number): Reader {
  if (eventsMax === 0) return store;
  const costs = new Map<string, Promise<number>>();
  const check = async (questions: readonly Question[]): Promise<void> => {
    for (const question of questions) {
      const name = JSON.stringify(foundBy(question));
      costs.set(name, costs.get(name) ?? eventsRead(store, question));
    }
    const all = await Promise.all(costs.values());
    const events = all.reduce((sum, cost) => sum + cost, 0);
    if (events > eventsMax) refuse(events, eventsMax);
  };
  const inTurn = turnwise<Query>(async (queries) => {
    const ahead = await Promise.all(queries.map((query) => store.isCountedAhead(query, eventsMax)));
    await check(queries.filter((_, index) => ahead[index] !== true));
  });
  return {
    async query(query) {
      await inTurn(query);
      return store.query(query);
    },
    async *scan(scan) {
      await check([scan]);
      yield* store.scan(scan);
    },
  };
}

/** The part of a question that stores find events by. */
function foundBy({ filter, range }: Question): Required<Question> {
  const finding = partsOf(filter).filter((part) =>
    fieldsOf(part).every((field) => FINDING.includes(field)),
  );
  return { filter: allOf(...finding), range };
}

/** Looks at all that comes in one turn at once: stores answer together what they are asked together. */
function turnwise<T>(look: (all: readonly T[]) => Promise<void>): (one: T) => Promise<void> {
  let waiting: T[] = [];
  let looked: Promise<void> | undefined;
  const end = (): Promise<void> => {
    const all = waiting;
    [waiting, looked] = [[], undefined];
    return look(all);
  };
  return (one) => {
    waiting.push(one);
    looked ??= Promise.resolve().then(end);
    return looked;
  };
}

function refuse(events: number, eventsMax: number): never {
  const [cost, limit] = [events, eventsMax].map((count) => count.toLocaleString('en'));
  const message = `this would read ${cost} events, and the limit is ${limit} (METRONOME_QUERY_EVENTS_MAX): ask for a shorter period, or for an item`;
  throw new MetronomeError('bad-request', message, { extensions: { events, eventsMax } });
}

function partsOf(filter: Filter | undefined): readonly Filter[] {
  if (filter?.kind === 'and') return filter.filters.flatMap(partsOf);
  return filter === undefined ? [] : [filter];
}

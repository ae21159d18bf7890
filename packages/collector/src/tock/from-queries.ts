import { z } from 'zod';
import { MetronomeError } from '../errors.ts';
import { type Dimension, type Order, type Query, QUERY_LIMITS, type Row } from '../query/query.ts';
import type { Answer } from './answer.ts';
import { allOf } from './filters.ts';
import { ofPeriod, type ParameterName, TOCK_LIMITS } from './parameters.ts';
import { rowsSchema, shapeRows } from './rows.ts';
import type { Part } from './part.ts';
import type { Asked, Reader, Statistic } from './statistic.ts';

/** A statistic that has yet to be given its meaning. */
type Answering = Omit<Statistic, 'meaning'>;

/**
 * A statistic whose members are each the rows of one query; one without dimensions gives its
 * measures as members.
 */
export function fromQueries(parts: Readonly<Record<string, Part>>): Answering {
  return {
    parameters: parametersOf(Object.values(parts)),
    parts: () => Object.values(parts),
    schema: z.object(Object.assign({}, ...Object.entries(parts).map(membersOf)) as z.ZodRawShape),
    async answer(store, asked) {
      const members = await Promise.all(
        Object.entries(parts).map(async ([name, part]) => {
          const answer = await answerPart(store, part, asked);
          return part.dimensions ? [[name, answer] as const] : Object.entries(answer as object);
        }),
      );
      return Object.fromEntries<Answer>(members.flat());
    },
  };
}

function membersOf([name, part]: readonly [string, Part]): z.ZodRawShape {
  const schema = rowsSchema(part);
  return schema instanceof z.ZodObject ? schema.shape : { [name]: schema };
}

/** A statistic that is one query. */
export function fromQuery(part: Part): Answering {
  return {
    parameters: parametersOf([part]),
    parts: () => [part],
    schema: rowsSchema(part),
    columns: [...Object.keys(part.dimensions ?? {}), ...Object.keys(part.measures)],
    answer: (store, asked) => answerPart(store, part, asked),
  };
}

export async function answerPart(store: Reader, part: Part, asked: Asked): Promise<Answer> {
  const query = queryOf(part, asked);
  return shapeRows(query, await wholeRows(store, query));
}

/** The part as the query that it is for a request. */
export function queryOf(
  part: Part,
  {
    filter,
    range,
    timeZone,
    interval,
    limit,
  }: Pick<Asked, 'filter' | 'range' | 'timeZone' | 'interval' | 'limit'>,
): Query {
  const dimensions = Object.entries(part.dimensions ?? {}).map(
    ([name, dimension]): [string, Dimension] => [
      name,
      dimension.kind === 'time'
        ? { ...dimension, interval: interval ?? dimension.interval }
        : dimension,
    ],
  );
  const order = part.order ?? orderOf(part);
  return {
    ...part,
    ...(part.dimensions && { dimensions: Object.fromEntries(dimensions) }),
    filter: allOf(part.filter, filter),
    range,
    timeZone,
    ...(order && { order }),
    ...(isCut(part) && { limit: limit ?? part.limit ?? TOCK_LIMITS.limitDefault }),
  };
}

const TOO_MANY_ROWS = `the answer has ${QUERY_LIMITS.rowsMax} rows or more, which is the limit: ask for a longer interval or a shorter period`;

/**
 * Rows of a query that must not be cut but by its own limit: no part is passed off as the whole.
 * `refusal` is said where there are too many.
 */
export async function wholeRows(
  store: Reader,
  query: Query,
  refusal: string = TOO_MANY_ROWS,
): Promise<readonly Row[]> {
  const rows = await store.query(query);
  if (query.limit !== undefined || rows.length < QUERY_LIMITS.rowsMax) return rows;
  throw new MetronomeError('bad-request', refusal);
}

function parametersOf(parts: readonly Part[]): readonly ParameterName[] {
  return [
    ...ofPeriod,
    ...(parts.some(hasTime) ? (['interval'] as const) : []),
    ...(parts.some(isCut) ? (['limit'] as const) : []),
  ];
}

/** Newest first, and highest first within a bucket. */
function orderOf(part: Part): readonly Order[] | undefined {
  const [measure] = Object.keys(part.measures);
  const times = Object.entries(part.dimensions ?? {}).flatMap(([name, { kind }]) =>
    kind === 'time' ? [name] : [],
  );
  if (times.length === 0 || measure === undefined) return undefined;
  return [...times, measure].map((by): Order => ({ by, direction: 'descending' }));
}

function hasTime({ dimensions = {} }: Part): boolean {
  return Object.values(dimensions).some(({ kind }) => kind === 'time');
}

function isCut(part: Part): boolean {
  const isList = Object.keys(part.dimensions ?? {}).length > 0 && !hasTime(part);
  return isList || part.limit !== undefined;
}

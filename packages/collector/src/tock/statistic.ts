import type { z } from 'zod';
import type { EventStore } from '../event-store.ts';
import type { Filter, Range } from '../query/query.ts';
import type { Answer } from './answer.ts';
import type { ParameterName } from './parameters.ts';
import type { Part } from './part.ts';
import type { Request, Scope } from './request.ts';

/** All that a statistic needs of a store. */
export type Reader = Pick<EventStore, 'query' | 'scan'>;

/** A store of which is known what it need not read. */
export type CountingReader = Reader & Pick<EventStore, 'isCountedAhead' | 'countsFrom'>;

/** A request about one thing, made ready: its period in epoch ms, its scope as a filter. */
export interface Asked extends Omit<Request, 'scope' | 'from' | 'to' | 'app' | 'bots'> {
  readonly scope: Scope;
  readonly range: Range;
  /** The events that the request is about. */
  readonly filter: Filter;
  /** The same without the item or prefix: all events of the site. */
  readonly everywhere: Filter;
  /** Epoch ms. */
  readonly now: number;
}

/** Something that can be asked of an item, a prefix of items or the site. */
export interface Statistic {
  /** A sentence for those who look for what they need. */
  readonly meaning: string;
  /** The parameters that mean something to it; others are refused. */
  readonly parameters: readonly ParameterName[];
  /** What an answer looks like. */
  readonly schema: z.ZodType;
  /** The same of one about the whole site, where that is another. */
  readonly siteSchema?: z.ZodType;
  /** Names of the columns, where the answer is one table: a list, or an object keyed by one dimension. */
  readonly columns?: readonly string[];
  /**
   * The queries of which the answer to a request is made, where they are all that it needs of a store:
   * of what stores have counted ahead they may know more than of events. Absent: it is made otherwise.
   */
  readonly parts?: (request: Pick<Request, 'by' | 'noise'>) => readonly Part[];
  /** Throws `bad-request` for what it cannot answer. */
  answer(store: Reader, asked: Asked): Promise<Answer>;
}

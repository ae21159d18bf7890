import type { Query } from '../query/query.ts';

/**
 * One query of a statistic, as data: the request adds its scope, period and zone. An interval is
 * what holds where the request gives none. Where no order is given, time runs newest first. A
 * list is cut at the request's `limit`, at its own or at 100; what has time in it is whole unless
 * it has a limit of its own.
 */
export type Part = Omit<Query, 'range' | 'timeZone'>;

import type { Filter, Interval, Order, Query } from './query.ts';

/**
 * A query that the application declares in its configuration. The request brings the item, the
 * period and the zone; a time dimension's interval is what holds where the request gives none.
 */
export type DeclaredQuery = DeclaredRows | DeclaredFunnel | DeclaredRetention;

interface Described {
  /** A sentence for those who look for what they need. */
  readonly meaning?: string;
}

/** The rows of one query. */
export interface DeclaredRows extends Described, Omit<Query, 'range' | 'timeZone'> {
  readonly kind?: 'rows';
  /**
   * Whether its answers come from counts that are kept up, not from all events of the period; no
   * distinct counts, percentiles and minutes then.
   */
  readonly rollup?: boolean;
}

/** How many visitors took a step, and of those how many then the next. */
export interface DeclaredFunnel extends Described {
  readonly kind: 'funnel';
  readonly steps: readonly FunnelStep[];
  /** Minutes from the first step in which the others count; absent: the whole period. */
  readonly withinMinutes?: number;
}

export interface FunnelStep {
  readonly name: string;
  readonly filter: Filter;
}

/** How many of those who came first in one interval came again in later ones. */
export interface DeclaredRetention extends Described {
  readonly kind: 'retention';
  /** What counts as coming; absent: views and downloads. */
  readonly filter?: Filter;
  /** Default: `day`. */
  readonly interval?: Exclude<Interval, 'minute' | 'hour'>;
}

/** The application's own keys, as far as it says which there are. */
export type DeclaredKeys = Readonly<Record<string, 'text' | 'number'>>;

export const DECLARED_LIMITS = { stepsMax: 20, withinMinutesMax: 60 * 24 * 366 } as const;

/** What a query may be ordered by: the names of its own measures and dimensions. */
type Named<Q> =
  | (Q extends { readonly measures: infer M } ? keyof M : never)
  | (Q extends { readonly dimensions: infer D } ? keyof D : never);

/** Gives a query in `metronome.config.ts` its types; it is checked when the collector starts. */
export function defineQuery<const Q extends DeclaredQuery>(
  query: Q & {
    readonly order?: readonly (Omit<Order, 'by'> & { readonly by: Named<Q> })[];
  },
): Q {
  return query;
}

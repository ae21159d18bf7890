import { TAGS } from '../event.ts';
import type { Filter } from '../query/query.ts';

export const VIEWS: Filter = { kind: 'equals', field: 'event', value: 'view' };
export const DOWNLOADS: Filter = { kind: 'equals', field: 'event', value: 'download' };
/** What a visitor does with an item: it is viewed or downloaded. */
export const USES: Filter = { kind: 'in', field: 'event', values: ['view', 'download'] };

/** Errors of browser extensions and of scripts elsewhere. */
export const NOISE: Filter = { kind: 'equals', field: 'tags', value: TAGS.noise };

/** Of a page view at once: nobody stays so long, and no clock runs backwards. */
const ENGAGED_MS_MAX = 86_400_000;
/** A stretch of time in which a page was visible and its visitor active. */
export const ENGAGED: Filter = {
  kind: 'and',
  filters: [
    { kind: 'equals', field: 'event', value: 'engagement' },
    { kind: 'exists', field: 'page' },
    { kind: 'range', field: 'duration', gte: 0, lt: ENGAGED_MS_MAX },
  ],
};

/** Holds where all of them do; those inside each other are laid flat. */
export function allOf(...filters: readonly (Filter | undefined)[]): Filter {
  return {
    kind: 'and',
    filters: filters.flatMap((filter) => {
      if (filter === undefined) return [];
      return filter.kind === 'and' ? filter.filters : [filter];
    }),
  };
}

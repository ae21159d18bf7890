import type { Filter } from '../query/query.ts';

export const VIEWS: Filter = { kind: 'equals', field: 'event', value: 'view' };
export const DOWNLOADS: Filter = { kind: 'equals', field: 'event', value: 'download' };
/** What a visitor does with an item: it is viewed or downloaded. */
export const USES: Filter = { kind: 'in', field: 'event', values: ['view', 'download'] };

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

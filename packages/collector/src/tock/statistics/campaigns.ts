import type { Dimension, Filter } from '../../query/query.ts';
import { allOf, DOWNLOADS, USES, VIEWS } from '../filters.ts';
import { fromQueries } from '../from-queries.ts';
import type { Statistic } from '../statistic.ts';

const parameter = (name: string): Dimension => ({
  kind: 'field',
  field: `utm_${name}`,
  missing: '',
});

const says = (name: string): Filter => ({ kind: 'exists', field: `utm_${name}` });

/**
 * Views and downloads that came by a campaign (`utm_…` of the address): `campaigns` by source,
 * medium and campaign together, most viewed first, with the visitors; views by `terms` and
 * `contents`. What an address does not say is empty text.
 */
export const campaigns: Statistic = {
  meaning: 'Views, downloads and visitors by campaign (`utm_…` of the address).',
  ...fromQueries({
    campaigns: {
      measures: {
        views: { kind: 'count', where: VIEWS },
        downloads: { kind: 'count', where: DOWNLOADS },
        visitors: { kind: 'distinct', field: 'visitor' },
      },
      dimensions: {
        source: parameter('source'),
        medium: parameter('medium'),
        campaign: parameter('campaign'),
      },
      filter: allOf(USES, {
        kind: 'or',
        filters: [says('source'), says('medium'), says('campaign')],
      }),
    },
    terms: {
      measures: { views: { kind: 'count' } },
      dimensions: { term: { kind: 'field', field: 'utm_term' } },
      filter: VIEWS,
    },
    contents: {
      measures: { views: { kind: 'count' } },
      dimensions: { content: { kind: 'field', field: 'utm_content' } },
      filter: VIEWS,
    },
  }),
};

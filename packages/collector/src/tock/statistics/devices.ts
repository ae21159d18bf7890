import { VIEWS } from '../filters.ts';
import { fromQueries } from '../from-queries.ts';
import type { Part } from '../part.ts';
import type { Statistic } from '../statistic.ts';

/**
 * Views by what they were made with: `browsers`, `systems`, `devices` and `languages`, each
 * highest first, `unknown` where the event does not say.
 */
export const devices: Statistic = {
  meaning: 'Views by browser, system, device and language.',
  ...fromQueries({
    browsers: viewsBy('browser'),
    systems: viewsBy('os'),
    devices: viewsBy('device'),
    languages: viewsBy('language'),
  }),
};

function viewsBy(field: string): Part {
  return {
    measures: { views: { kind: 'count' } },
    dimensions: { [field]: { kind: 'field', field, missing: 'unknown' } },
    filter: VIEWS,
  };
}

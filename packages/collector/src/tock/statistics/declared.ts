import type { DeclaredQuery } from '../../query/declared.ts';
import { fromQuery } from '../from-queries.ts';
import type { Statistic } from '../statistic.ts';
import { funnel } from './funnel.ts';
import { retention } from './retention.ts';

/** The statistic that the application declares. */
export function declared(query: DeclaredQuery): Statistic {
  switch (query.kind) {
    case 'funnel':
      return funnel(query);
    case 'retention':
      return retention(query);
    default: {
      const { kind: _, rollup: __, ...rest } = query;
      const { meaning = 'Declared in the configuration.', ...part } = rest;
      return { meaning, ...fromQuery(part) };
    }
  }
}

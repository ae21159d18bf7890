import { z } from 'zod';
import type { Measure } from '../../query/query.ts';
import { allOf, DOWNLOADS, ENGAGED, NOISE, USES, VIEWS } from '../filters.ts';
import { answerPart } from '../from-queries.ts';
import { ofPeriod, type Parameters } from '../parameters.ts';
import type { Part } from '../part.ts';
import type { Statistic } from '../statistic.ts';

type Ranked = Pick<Part, 'filter'> & { readonly measure: Measure };

const ofEvent = (value: string): Ranked => ({
  measure: { kind: 'count' },
  filter: { kind: 'equals', field: 'event', value },
});

const RANKS: Readonly<Record<Parameters['by'], Ranked>> = {
  views: { measure: { kind: 'count' }, filter: VIEWS },
  downloads: { measure: { kind: 'count' }, filter: DOWNLOADS },
  outbound: ofEvent('outbound'),
  errors: ofEvent('error'),
  visitors: { measure: { kind: 'distinct', field: 'visitor' }, filter: USES },
  time: { measure: { kind: 'sum', field: 'duration' }, filter: ENGAGED },
};

/**
 * The items of a period, highest first, by what `by` names: `views`, `downloads`, `outbound`
 * links followed, `errors` (without noise but with `noise=include`), `visitors` (who viewed or
 * downloaded), or `time` (engaged, in ms).
 */
export const items: Statistic = {
  meaning: 'Items ranked by a count of the period.',
  schema: z.record(z.string(), z.number()).describe('Counts by item, highest first.'),
  columns: ['item', 'value'],
  parameters: [...ofPeriod, 'by', 'noise', 'limit'],
  parts: (request) => [partOf(request)],
  answer: (store, asked) => answerPart(store, partOf(asked), asked),
};

function partOf({ by, noise }: Pick<Parameters, 'by' | 'noise'>): Part {
  const { measure, filter } = RANKS[by];
  const isHeard = by !== 'errors' || noise === 'include';
  return {
    measures: { [by]: measure },
    dimensions: { item: { kind: 'field', field: 'item' } },
    filter: allOf(filter, isHeard ? undefined : { kind: 'not', filter: NOISE }),
  };
}

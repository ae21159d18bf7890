import { z } from 'zod';
import { MetronomeError } from '../../errors.ts';
import type { Filter } from '../../query/query.ts';
import { compareUtf8 } from '../../query/order-rows.ts';
import { allOf, USES } from '../filters.ts';
import { logLikelihoodRatio } from '../log-likelihood.ts';
import { ofPeriod, TOCK_LIMITS } from '../parameters.ts';
import { countSchema, sampled } from '../schemas.ts';
import { type Histories, readHistories, sampleNote } from '../sessions.ts';
import type { Asked, Reader, Statistic } from '../statistic.ts';
import { Tally } from '../tally.ts';

const usesByVisitors = allOf(
  USES,
  { kind: 'exists', field: 'item' },
  { kind: 'exists', field: 'visitor' },
);

const schema = z.object({
  visitors: countSchema,
  items: z.array(
    z.object({
      item: z.string(),
      visitors: countSchema,
      score: z.number().describe('Log-likelihood ratio: how sure it is that this is no chance.'),
    }),
  ),
  ...sampled,
});

/** Items that are compared: those with the most shared visitors. */
export const CANDIDATES_MAX = 1_000;

/**
 * Items that visitors of this item (or of a prefix of items) viewed or downloaded as well, in the
 * period, ranked by how far that is from chance: Dunning's log-likelihood ratio over visitors who
 * used both, one, the other and neither. Only items that are shared more often than by chance
 * are named, each with its shared `visitors` and the ratio as `score`; so plain popularity does
 * not count. Visitors known by the daily hash pair items within a day of UTC.
 *
 * Read from at most 10,000 visitors of the item, the newest, and 200,000 of their events, which
 * then stand for all (`sample`), and for the 1,000 items that share the most.
 */
export const recommendations: Statistic = {
  meaning:
    'Items that the visitors of an item used as well, ranked by how far that is from chance.',
  parameters: [...ofPeriod, 'limit'],
  schema,
  async answer(store, asked) {
    if (asked.scope.kind === 'site') {
      const message = 'Recommendations are of an item: ask for /tock/ITEM/recommendations.json.';
      throw new MetronomeError('bad-request', message);
    }
    const having = allOf(usesByVisitors, asked.filter);
    const histories = await readHistories(store, {
      fields: ['item'],
      marks: { own: asked.filter },
      filter: allOf(usesByVisitors, asked.everywhere),
      range: asked.range,
      having,
    });
    const candidates = sharedItems(histories).top(CANDIDATES_MAX);
    const [each, all, note] = await Promise.all([
      visitorsOfItems(store, asked, [...candidates.keys()]),
      countVisitors(store, asked, allOf(usesByVisitors, asked.everywhere)),
      sampleNote(store, histories, asked, having),
    ]);
    const visitors = histories.visitors.length;
    const own = note.sample?.of ?? visitors;
    // What a sample of the item's visitors shares stands for what all of them do.
    const ranked = [...candidates]
      .map(([item, count]) => {
        const others = each.get(item) ?? count;
        const both = Math.min(count * (visitors === 0 ? 1 : own / visitors), others, own);
        return { item, visitors: count, score: scoreOf(both, own, others, all) };
      })
      .filter(({ score }) => score > 0)
      .toSorted((a, b) => b.score - a.score || compareUtf8(a.item, b.item));
    const { limit = TOCK_LIMITS.limitDefault } = asked;
    return { visitors: own, items: ranked.slice(0, limit), ...note };
  },
};

/** 0 for what is shared no more often than by chance. */
function scoreOf(both: number, own: number, others: number, all: number): number {
  if (both * all <= own * others) return 0;
  const neither = Math.max(0, all - own - others + both);
  return logLikelihoodRatio(both, own - both, others - both, neither);
}

/** How many of the item's visitors used each other item. */
function sharedItems({ visitors }: Histories): Tally {
  const shared = new Tally();
  for (const events of visitors) {
    const others = events.filter(({ own }) => own === 0).map(({ item }) => String(item));
    for (const item of new Set(others)) shared.add(item);
  }
  return shared;
}

async function countVisitors(store: Reader, { range }: Asked, filter: Filter): Promise<number> {
  const [row] = await store.query({
    measures: { n: { kind: 'distinct', field: 'visitor' } },
    filter,
    range,
  });
  return Number(row?.['n']);
}

async function visitorsOfItems(
  store: Reader,
  { range, everywhere }: Asked,
  items: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (items.length === 0) return new Map();
  const rows = await store.query({
    measures: { n: { kind: 'distinct', field: 'visitor' } },
    dimensions: { item: { kind: 'field', field: 'item' } },
    filter: allOf(usesByVisitors, { kind: 'in', field: 'item', values: items }, everywhere),
    range,
    limit: items.length,
  });
  return new Map(rows.map(({ item, n }) => [String(item), Number(n)]));
}

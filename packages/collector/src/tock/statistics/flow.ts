import { z } from 'zod';
import type { Row } from '../../query/query.ts';
import type { Answer } from '../answer.ts';
import { allOf, VIEWS } from '../filters.ts';
import { ofPeriod, TOCK_LIMITS } from '../parameters.ts';
import type { Scope } from '../request.ts';
import { countSchema, countsSchema, sampled } from '../schemas.ts';
import { readHistories, sampleNote, sessionsOf } from '../sessions.ts';
import type { Statistic } from '../statistic.ts';
import { Tally } from '../tally.ts';

const itemViews = allOf(VIEWS, { kind: 'exists', field: 'item' });

const step = { item: z.string(), visits: countSchema };

const schema = z.object({
  visits: countSchema,
  entries: countSchema,
  exits: countSchema,
  referers: countsSchema,
  before: z.array(z.object({ ...step, entries: countSchema, before: countsSchema })),
  after: z.array(z.object({ ...step, exits: countSchema, after: countsSchema })),
  ...sampled,
});

const siteSchema = z.object({
  visits: countSchema,
  entries: countsSchema,
  exits: countsSchema,
  referers: countsSchema,
  steps: z.array(z.object({ from: z.string(), to: z.string(), visits: countSchema })),
  ...sampled,
});

/**
 * How visitors moved. Each visitor's views of items, in sessions (the application's, else with
 * gaps under 30 minutes) within the period; views of one item that follow each other are one
 * visit.
 *
 * Of an item: its `visits`; `entries` and `exits`, which began and ended a session, with the
 * `referers` of the entries; the items `before` and `after`, each with its own step further away,
 * and how many of those were entries or exits. Of a prefix: the same for its items as if they were
 * one. Of the site: the number of sessions as `visits`, `entries` and `exits` by item, and `steps`
 * from item to item.
 *
 * Read from at most 10,000 visitors, the newest, and 200,000 views; `sample` says so.
 */
export const flow: Statistic = {
  meaning:
    'Where visitors came from before and went after, entries and exits, two steps either way.',
  parameters: [...ofPeriod, 'limit'],
  schema,
  siteSchema,
  async answer(store, asked) {
    const having = allOf(itemViews, asked.filter);
    const histories = await readHistories(store, {
      fields: ['time', 'item', 'session', 'referer'],
      filter: allOf(itemViews, asked.everywhere),
      range: asked.range,
      having,
    });
    const sessions = histories.visitors.flatMap(sessionsOf);
    const { scope, limit = TOCK_LIMITS.limitDefault } = asked;
    const found =
      scope.kind === 'site'
        ? flowOfSite(sessions, limit)
        : flowOf(sessions, (item) => isIn(scope, item), limit);
    return { ...found, ...(await sampleNote(store, histories, asked, having)) };
  },
};

function isIn(scope: Exclude<Scope, { kind: 'site' }>, item: string): boolean {
  return scope.kind === 'item' ? item === scope.item : item.startsWith(scope.prefix);
}

/** A stay at an item. */
interface Visit {
  readonly item: string;
  /** It is the thing that the flow is about. */
  readonly isCentre: boolean;
  readonly referer: Row[string];
}

type Session = readonly Row[];

function visitsOf(session: Session, isCentre: (item: string) => boolean): readonly Visit[] {
  const visits: Visit[] = [];
  for (const view of session) {
    const item = String(view['item']);
    const visit = { item, isCentre: isCentre(item), referer: view['referer'] ?? null };
    const before = visits.at(-1);
    const stays = before && (before.item === item || (before.isCentre && visit.isCentre));
    if (!stays) visits.push(visit);
  }
  return visits;
}

function flowOf(
  sessions: readonly Session[],
  isCentre: (item: string) => boolean,
  limit: number,
): Record<string, Answer> {
  const [before, after] = [new Steps('entries', 'before'), new Steps('exits', 'after')];
  const referers = new Tally();
  let visits = 0;
  for (const session of sessions) {
    const path = visitsOf(session, isCentre);
    for (const [at, visit] of path.entries()) {
      if (!visit.isCentre) continue;
      visits++;
      before.add(path[at - 1]?.item, path[at - 2]?.item);
      after.add(path[at + 1]?.item, path[at + 2]?.item);
      if (at === 0 && visit.referer !== null) referers.add(String(visit.referer));
    }
  }
  return {
    visits,
    entries: before.ends,
    exits: after.ends,
    referers: referers.top(limit),
    before: before.top(limit),
    after: after.top(limit),
  };
}

/** The steps of all visits in one direction: the next one, and the one beyond it. */
class Steps {
  /** Visits with no step in this direction. */
  ends = 0;
  readonly #endsName: string;
  readonly #name: string;
  readonly #next = new Tally();
  readonly #beyond = new Map<string, Tally>();

  constructor(endsName: string, name: string) {
    this.#endsName = endsName;
    this.#name = name;
  }

  add(next: string | undefined, beyond: string | undefined): void {
    if (next === undefined) {
      this.ends++;
      return;
    }
    this.#next.add(next);
    const tally = this.#beyond.get(next) ?? new Tally();
    this.#beyond.set(next, tally);
    if (beyond !== undefined) tally.add(beyond);
  }

  top(limit: number): Answer {
    return [...this.#next.top(limit)].map(([item, visits]) => {
      const beyond = this.#beyond.get(item) ?? new Tally();
      return {
        item,
        visits,
        [this.#endsName]: visits - beyond.total,
        [this.#name]: beyond.top(limit),
      };
    });
  }
}

function flowOfSite(sessions: readonly Session[], limit: number): Record<string, Answer> {
  const [entries, exits, referers] = [new Tally(), new Tally(), new Tally()];
  const steps = new Map<string, { from: string; to: string }>();
  const counts = new Tally();
  for (const session of sessions) {
    const path = visitsOf(session, () => false);
    const [first, last] = [path[0], path.at(-1)];
    if (first) entries.add(first.item);
    if (last) exits.add(last.item);
    if (typeof first?.referer === 'string') referers.add(first.referer);
    for (const [at, { item: to }] of path.entries()) {
      const from = path[at - 1]?.item;
      if (from === undefined) continue;
      const name = JSON.stringify([from, to]);
      steps.set(name, { from, to });
      counts.add(name);
    }
  }
  return {
    visits: sessions.length,
    entries: entries.top(limit),
    exits: exits.top(limit),
    referers: referers.top(limit),
    steps: [...counts.top(limit)].map(([name, visits]) => ({ ...steps.get(name), visits })),
  };
}

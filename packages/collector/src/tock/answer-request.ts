import { firstKept } from '../first-kept.ts';
import type { Filter, Range } from '../query/query.ts';
import type { Answer } from './answer.ts';
import { withEventLimit } from './event-limit.ts';
import { allOf } from './filters.ts';
import { queryOf } from './from-queries.ts';
import { onlyApp } from './only-app.ts';
import { keptOf, period, type Period } from './period.ts';
import type { Request, Scope } from './request.ts';
import type { Asked, CountingReader, Statistic } from './statistic.ts';
import { type Table, tableOf, tableOfItems } from './table.ts';

/** What holds for all answers of a collector. */
export interface AnswerRules {
  /** The apps that the configuration lists. */
  readonly sites: readonly string[];
  /** Events that one request may read; 0: any number. */
  readonly queryEventsMax: number;
  /** Whole UTC days that events are kept beside today; 0: for ever. */
  readonly retentionDays: number;
  /** The same of counts, where that is longer. */
  readonly countsDays?: number;
}

const NO_RULES: AnswerRules = { sites: [], queryEventsMax: 0, retentionDays: 0 };

export interface Answered {
  readonly answer: Answer;
  readonly table: () => Table;
  /** The period that it is about. */
  readonly range: Range;
}

/**
 * Answers a request; `now` is epoch ms.
 *
 * Throws `bad-request` where there are several apps and the request names none, where it asks for
 * days that are no longer kept, or would read more events than the rules allow.
 */
export async function answerRequest(
  store: CountingReader,
  statistic: Statistic,
  request: Request,
  now: number,
  rules: AnswerRules = NO_RULES,
): Promise<Answered> {
  const { sites, queryEventsMax } = rules;
  const whole = period(request, now);
  const app = request.app ?? (await onlyApp(store, now, sites));
  const everywhere = filterOf(request, app);
  const range = await keptRange(whole, now, rules, async (asked) => {
    const parts = statistic.parts?.(request);
    if (parts === undefined) return NEVER;
    const froms = parts
      // In days of UTC, for then counts can answer it.
      .map((part) =>
        queryOf(part, { ...request, range: asked, filter: everywhere, timeZone: 'UTC' }),
      )
      .map((query) => store.countsFrom(query));
    return Math.max(...(await Promise.all(froms)));
  });
  const reader = withEventLimit(store, queryEventsMax);
  const about = (scope: Scope): Promise<Answer> =>
    statistic.answer(reader, {
      ...request,
      scope,
      range,
      everywhere,
      filter: allOf(scopeFilter(scope), everywhere),
      now,
    } satisfies Asked);
  const { columns } = statistic;
  if (request.scope.kind !== 'items') {
    const answer = await about(request.scope);
    return { answer, range, table: () => tableOf(answer, columns) };
  }
  const answers = new Map<string, Answer>();
  for (const item of request.scope.items) answers.set(item, await about({ kind: 'item', item }));
  return { answer: answers, range, table: () => tableOfItems(answers, columns) };
}

/** Of an answer that is made of no counts. */
const NEVER = Number.POSITIVE_INFINITY;

/**
 * What is kept of a period. Only for one of long ago it is asked since when the counts are there of
 * which an answer is made.
 */
async function keptRange(
  whole: Period,
  now: number,
  { retentionDays, countsDays }: AnswerRules,
  countsFrom: (asked: Range) => Promise<number>,
): Promise<Range> {
  const range = { from: whole.from, to: whole.to };
  const events = firstKept(now, retentionDays);
  if (range.from >= events) return range;
  const counts =
    countsDays === undefined
      ? NEVER
      : Math.max(firstKept(now, countsDays), await countsFrom(range));
  return keptOf(whole, { events, counts });
}

function filterOf({ bots }: Request, app: string | undefined): Filter {
  return allOf(
    app === undefined ? undefined : { kind: 'equals', field: 'app', value: app },
    bots === 'include'
      ? undefined
      : { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } },
  );
}

function scopeFilter(scope: Scope): Filter | undefined {
  switch (scope.kind) {
    case 'site':
      return undefined;
    case 'prefix':
      return { kind: 'prefix', field: 'item', value: scope.prefix };
    case 'item':
      return { kind: 'equals', field: 'item', value: scope.item };
  }
}

import type { Filter } from '../query/query.ts';
import { type Answer, writeAnswer } from './answer.ts';
import { allOf } from './filters.ts';
import { onlyApp } from './only-app.ts';
import { period } from './period.ts';
import type { Request, Scope } from './request.ts';
import type { Asked, Reader, Statistic } from './statistic.ts';

/**
 * Answers a request as JSON text; `now` is epoch ms.
 *
 * Throws `bad-request` where there are several apps and the request names none.
 */
export async function answerRequest(
  store: Reader,
  statistic: Statistic,
  request: Request,
  now: number,
): Promise<string> {
  const range = period(request, now);
  const app = request.app ?? (await onlyApp(store, now));
  const everywhere = filterOf(request, app);
  const about = (scope: Scope): Promise<Answer> =>
    statistic.answer(store, {
      ...request,
      scope,
      range,
      everywhere,
      filter: allOf(scopeFilter(scope), everywhere),
      now,
    } satisfies Asked);
  if (request.scope.kind !== 'items') return writeAnswer(await about(request.scope));
  const answers = new Map<string, Answer>();
  for (const item of request.scope.items) answers.set(item, await about({ kind: 'item', item }));
  return writeAnswer(answers);
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

import { answerRequest } from '../../../src/tock/answer-request.ts';
import { writeAnswer } from '../../../src/tock/answer.ts';
import { parseRequest } from '../../../src/tock/request.ts';
import type { Statistic } from '../../../src/tock/statistic.ts';
import { items } from '../../../src/tock/statistics/items.ts';
import type { OpenStore } from '../../store/conformance/with-store.ts';

/** Asks as the routes do, and reads the answer. */
export type Ask = (
  statistic: Statistic,
  app: string,
  parameters: Readonly<Record<string, string>>,
  item?: string,
) => Promise<unknown>;

export function asking(open: OpenStore, now: number): Ask {
  return async (statistic, app, parameters, item) => {
    const request = parseRequest(item, new URLSearchParams({ app, ...parameters }), {
      names: statistic.parameters,
      scopes: statistic === items ? ['prefix'] : ['item', 'prefix'],
      timeZone: 'UTC',
    });
    const { answer } = await answerRequest(open.store, statistic, request, now);
    return JSON.parse(writeAnswer(answer));
  };
}

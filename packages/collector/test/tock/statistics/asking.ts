import { z } from 'zod';
import { answerSchemas } from '../../../src/http/openapi-answers.ts';
import { answerRequest } from '../../../src/tock/answer-request.ts';
import { writeAnswer } from '../../../src/tock/answer.ts';
import { FORMATS } from '../../../src/tock/formats.ts';
import { parseRequest } from '../../../src/tock/request.ts';
import type { Statistic } from '../../../src/tock/statistic.ts';
import { items } from '../../../src/tock/statistics/items.ts';
import type { OpenStore } from '../../store/conformance/with-store.ts';

/** Asks as the routes do, holds the answer against `/openapi.json`, and reads it. */
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
    const { answer, table } = await answerRequest(open.store, statistic, request, now);
    const found: unknown = JSON.parse(writeAnswer(answer));
    const isOfSite = request.scope.kind === 'site' && statistic.siteSchema;
    const described = describedBy(statistic, isOfSite ? 'it.site' : 'it');
    if (request.scope.kind !== 'items') described.answer.parse(found);
    else z.record(z.string(), described.answer).parse(found);
    for (const line of FORMATS.ndjson.write(answer, table).split('\n').slice(0, -1)) {
      const { id: _, ...rest } = JSON.parse(line) as { id?: string };
      described.line.parse(rest);
    }
    return found;
  };
}

/** What the schemas of `/openapi.json` accept. */
function describedBy(statistic: Statistic, name: string): Record<'answer' | 'line', z.ZodType> {
  const schemas = answerSchemas({ it: statistic }) as Record<string, z.core.JSONSchema.JSONSchema>;
  const accepting = (id: string): z.ZodType => z.fromJSONSchema(schemas[id] ?? {});
  return { answer: accepting(name), line: accepting(`${name}.line`) };
}

import { type Client, errors, type estypes } from '@elastic/elasticsearch';
import { ask } from './connection.ts';
import type { SearchAnswer } from './rows.ts';

/** One search over all daily indices, or those that it names; its answer is whole, or it throws. */
export type Search = (body: estypes.SearchRequest) => Promise<SearchAnswer>;

/**
 * All daily indices are asked and Elasticsearch skips those whose times lie outside: an event is
 * in the index of the client's uncorrected time, which can be months from its `@timestamp`.
 *
 * Searches that are asked in one turn, as the three of a tock are, go in one request, and the
 * indices that they name in its body, for an address has its limit.
 */
export function searchWith(client: Client, events: string): Search {
  let waiting: Waiting[] = [];
  const send = async (): Promise<void> => {
    const all = waiting;
    waiting = [];
    try {
      const searches = all.flatMap(({ header, body }) => [header, body]);
      const { responses } = await ask(() => client.msearch({ searches }));
      for (const [index, { resolve }] of all.entries()) resolve(responses[index]);
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  };
  return async ({ index = events, ignore_unavailable = true, ...body }) => {
    const header = {
      index,
      ignore_unavailable,
      allow_no_indices: true,
      allow_partial_search_results: false,
    };
    // In one answer the same fields are left out everywhere.
    if (body.filter_path !== undefined) return ask(() => client.search({ ...header, ...body }));
    if (waiting.length === 0) setImmediate(() => void send());
    const { promise, resolve, reject } = Promise.withResolvers<Answered | undefined>();
    waiting.push({ header, body, resolve, reject });
    const answered = await promise;
    return ask(() => answerOf(answered));
  };
}

interface Waiting {
  readonly header: estypes.MsearchMultisearchHeader;
  readonly body: estypes.SearchSearchRequestBody;
  readonly resolve: (answered: Answered | undefined) => void;
  readonly reject: (error: unknown) => void;
}

type Answered = estypes.MsearchResponseItem;

/** An error within an answer is as good as one instead of it. */
async function answerOf(answered: Answered | undefined): Promise<SearchAnswer> {
  if (answered && 'hits' in answered) return answered;
  throw new errors.ResponseError({
    body: answered,
    statusCode: answered?.status ?? 502,
    headers: {},
    warnings: null,
    meta: {} as ConstructorParameters<typeof errors.ResponseError>[0]['meta'],
  });
}

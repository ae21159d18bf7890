import type { Client } from '@elastic/elasticsearch';
import type { Selection } from '../../event-store.ts';
import { selectEvents } from './select.ts';

const PAGE_EVENTS = 1_000;

/** The selected events as they were written, oldest first. */
export async function* exportEvents(
  client: Client,
  prefix: string,
  selection: Selection,
): AsyncGenerator<Record<string, unknown>> {
  const paging = { size: PAGE_EVENTS, sort: [{ '@timestamp': 'asc' }] } as const;
  for await (const page of selectEvents(client, prefix, selection, {
    ...paging,
    sort: [...paging.sort],
  })) {
    for (const { _source } of page) if (_source) yield _source;
  }
}

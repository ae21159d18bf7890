import { Hono } from 'hono';
import type { Delivery } from '../delivery/delivery.ts';
import type { EventStore, Selection } from '../event-store.ts';
import type { Journal } from '../journal/journal.ts';
import type { Filter } from '../query/query.ts';
import { awaitDelivery } from './await-delivery.ts';
import { parseSelection } from './selection.ts';

export interface SelectedEventParts {
  readonly journal: Pick<Journal, 'last'>;
  readonly delivery: Pick<Delivery, 'status'>;
  readonly store: EventStore;
  /** IANA zone of days. */
  readonly timeZone: string;
}

const CHUNK_LENGTH = 64 * 1024;
/** 9999-12-31, the last day that every engine can name. */
const END_OF_TIME_MS = 253_402_214_400_000;

/**
 * `GET /selected/count`, `GET /selected/export` (NDJSON) and `POST /selected/erase`. Each waits
 * until what this collector has acknowledged so far is delivered, so that nothing selected slips
 * in behind.
 */
export function selectedEventRoutes(parts: SelectedEventParts): Hono {
  const { journal, delivery, store, timeZone } = parts;
  const routes = new Hono();
  const selected = async (url: string): Promise<Selection> => {
    const selection = parseSelection(new URL(url).searchParams, timeZone);
    const { last } = journal;
    await awaitDelivery(delivery, (waiting) => journal.last - waiting >= last);
    await store.refresh();
    return selection;
  };
  routes.get('/selected/count', async (context) =>
    context.json({ events: await count(store, await selected(context.req.url)) }),
  );
  routes.get('/selected/export', async (context) => {
    const lines = ndjson(store.export(await selected(context.req.url)));
    // What fails before the first line is still answered with a status.
    const first = await lines.next();
    return context.body(ReadableStream.from(startingWith(first, lines)), 200, {
      'Content-Type': 'application/x-ndjson',
    });
  });
  routes.post('/selected/erase', async (context) =>
    context.json({ erased: await store.erase(await selected(context.req.url)) }),
  );
  return routes;
}

async function count(store: EventStore, selection: Selection): Promise<number> {
  const { from = 0, to = END_OF_TIME_MS } = selection;
  const filters = (['app', 'visitor', 'item'] as const).flatMap((field): Filter[] => {
    const value = selection[field];
    return value === undefined ? [] : [{ kind: 'equals', field, value }];
  });
  const [row] = await store.query({
    measures: { events: { kind: 'count' } },
    // Counts, which may be of events that are gone, know nothing of it.
    filter: { kind: 'and', filters: [...filters, { kind: 'exists', field: 'collector' }] },
    range: { from, to },
  });
  return Number(row?.['events'] ?? 0);
}

async function* ndjson(events: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  let chunk = '';
  for await (const event of events) {
    chunk += `${JSON.stringify(event)}\n`;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}

async function* startingWith<T>(
  first: IteratorResult<T>,
  rest: AsyncGenerator<T>,
): AsyncGenerator<T> {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    // Whoever stops reading ends what reads the store.
    await rest.return(undefined);
  }
}

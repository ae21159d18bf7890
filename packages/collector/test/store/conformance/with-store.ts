import { afterAll, beforeAll } from 'vitest';
import type { Appended, Batch, EventStore, Reject } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { Filter, Query, Range, Row } from '../../../src/query/query.ts';
import { batchOf } from '../journal-lines.ts';

/** Wide enough for every event of the suite. */
export const always: Range = { from: Date.UTC(2000, 0, 1), to: Date.UTC(2100, 0, 1) };

export function ofApp(app: string): Filter {
  return { kind: 'equals', field: 'app', value: app };
}

/** One open store, shared by a group of tests; each test brings its own app and journal. */
export interface OpenStore {
  readonly store: EventStore;
  /** A name that no other test uses. */
  newName(): string;
  /** Appends, keeps the rejects and makes all visible. */
  take(batch: Batch): Promise<Appended & { readonly rejects: readonly Reject[] }>;
  /** Appends the events as a journal of its own. */
  takeEvents(events: readonly StoredEvent[]): Promise<Appended>;
  query(query: Omit<Query, 'range'> & { readonly range?: Range }): Promise<readonly Row[]>;
  /** Number of events of an app, of those that pass the filter where one is given. */
  count(app: string, filter?: Filter): Promise<number>;
}

export function withStore(open: () => Promise<EventStore>): OpenStore {
  let store: EventStore | undefined;
  let names = 0;
  const opened = (): EventStore => {
    if (!store) throw new Error('the store is open only while tests run');
    return store;
  };
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store?.close());

  const parts: OpenStore = {
    get store() {
      return opened();
    },
    newName: () => `name-${++names}`,
    async take(batch) {
      const rejects: Reject[] = [];
      const appended = await opened().append(batch, async (some) => void rejects.push(...some));
      await opened().refresh();
      return { ...appended, rejects };
    },
    takeEvents: (events) => parts.take(batchOf(parts.newName(), 1, events)),
    query: (query) => opened().query({ range: always, ...query }),
    async count(app, filter) {
      const [row] = await parts.query({
        measures: { n: { kind: 'count' } },
        filter: filter ? { kind: 'and', filters: [ofApp(app), filter] } : ofApp(app),
      });
      return Number(row?.['n']);
    },
  };
  return parts;
}

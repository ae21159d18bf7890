import type { Client, estypes } from '@elastic/elasticsearch';
import type { Clause } from './compile.ts';
import type { Batch, Tally } from '../../event-store.ts';
import type { Outcome } from './append.ts';
import { ask, errorType, unavailable } from './connection.ts';

/** Tries of a write that others may get in between of. */
const TRIES_MAX = 20;
const PAGE_DOCUMENTS = 1_000;

/** Documents that are to be deleted, and what that does to the tallies. */
export interface Erasure {
  readonly id: string;
  /** Left out once they are deleted. */
  readonly documents?: readonly { readonly index: string; readonly id: string }[];
  readonly counts: readonly ErasedCount[];
}

export interface ErasedCount {
  readonly collector: string;
  readonly segment: number;
  readonly erased: number;
}

/**
 * What the store knows beside the events, in an index that the pattern of the daily ones does not
 * match. `kind` tells its documents apart:
 *
 * - `tally`: one for each segment of each journal. The cursor of a journal is the event after the
 *   last of its newest segment, so that one write moves both.
 * - `erasing` and `erased`: written before some documents are deleted and once they are. A crash
 *   between the two leaves a plan that is finished before tallies are read. What is erased is added
 *   to a tally when it is read.
 */
export class State {
  readonly #client: Client;
  readonly #index: string;

  constructor(client: Client, prefix: string) {
    this.#client = client;
    this.#index = `${prefix}_state`;
  }

  async create(): Promise<void> {
    const exists = await ask(() => this.#client.indices.exists({ index: this.#index }));
    if (exists) return;
    try {
      await ask(() => this.#client.indices.create({ index: this.#index, ...DEFINITION }));
    } catch (error) {
      if (errorType(error) !== 'resource_already_exists_exception') throw error;
    }
  }

  async cursor(collector: string): Promise<number> {
    await this.#refresh();
    const [newest] = await this.#page<Tally>('tally', {
      query: { term: { collector } },
      sort: [{ segment: 'desc' }],
      size: 1,
    });
    return (newest?.source.last ?? 0) + 1;
  }

  async tallies(collector: string): Promise<readonly Tally[]> {
    await this.#refresh();
    const query = { term: { collector } };
    const tallies = await this.#all<Tally>('tally', query);
    const erased = new Map<number, number>();
    for (const { source } of await this.#all<Erasure>('erased', query)) {
      for (const count of source.counts) {
        if (count.collector !== collector) continue;
        erased.set(count.segment, (erased.get(count.segment) ?? 0) + count.erased);
      }
    }
    return tallies
      .map(({ source }) => tallyOf(source, erased.get(source.segment) ?? 0))
      .toSorted((a, b) => a.segment - b.segment);
  }

  /** Counts the outcomes of a batch and moves the cursor past it; what is counted stays so. */
  async commit(batch: Batch, outcomes: readonly Outcome[]): Promise<void> {
    await this.#change(batch.collector, batch.segment, (tally) => {
      const news = outcomes.slice(Math.max(0, tally.last + 1 - batch.first));
      const stored = news.filter((outcome) => outcome === 'stored').length;
      const duplicates = news.filter((outcome) => outcome === 'duplicate').length;
      return {
        ...tally,
        last: Math.max(tally.last, batch.last),
        stored: tally.stored + stored,
        duplicates: tally.duplicates + duplicates,
        rejected: tally.rejected + news.length - stored - duplicates,
      };
    });
  }

  async planErasure({ id, documents, counts }: Erasure): Promise<void> {
    await this.#put(id, { kind: 'erasing', name: id, documents, ...countedBy(counts) });
  }

  async finishErasure({ id, counts }: Erasure): Promise<void> {
    await this.#put(id, { kind: 'erased', name: id, ...countedBy(counts) });
  }

  /** Those that a crash left unfinished. */
  async openErasures(): Promise<readonly Erasure[]> {
    await this.#refresh();
    const open = await this.#all<Erasure>('erasing', { match_all: {} });
    return open.map(({ id, source: { documents = [], counts } }) => ({ id, documents, counts }));
  }

  async #put(id: string, document: object): Promise<void> {
    await ask(() => this.#client.index({ index: this.#index, id, document }));
  }

  async #refresh(): Promise<void> {
    await ask(() => this.#client.indices.refresh({ index: this.#index }));
  }

  async #all<T>(kind: Kind, query: Clause): Promise<Entry<T>[]> {
    const all: Entry<T>[] = [];
    for (;;) {
      const after = all.at(-1)?.sort;
      const page = await this.#page<T>(kind, {
        query,
        sort: [{ segment: { order: 'asc', missing: 0 } }, { name: 'asc' }],
        size: PAGE_DOCUMENTS,
        ...(after ? { search_after: after } : {}),
      });
      all.push(...page);
      if (page.length < PAGE_DOCUMENTS) return all;
    }
  }

  async #page<T>(
    kind: Kind,
    { query, ...search }: estypes.SearchRequest & { query: Clause },
  ): Promise<Entry<T>[]> {
    const answer = await ask(() =>
      this.#client.search<T>({
        index: this.#index,
        query: { bool: { filter: [{ term: { kind } }, query] } },
        allow_partial_search_results: false,
        ...search,
      }),
    );
    if (answer.timed_out) throw unavailable('took too long to answer');
    return answer.hits.hits.flatMap(({ _id = '', _source, sort }) =>
      _source ? [{ id: _id, source: _source, sort }] : [],
    );
  }

  async #change(
    collector: string,
    segment: number,
    change: (tally: Tally) => Tally,
  ): Promise<void> {
    const at = { index: this.#index, id: `${collector}/${segment}` };
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const old = await ask(() => this.#client.get<Tally>(at, { ignore: [404] }));
      const { _source: source, _seq_no: seqNo, _primary_term: term } = old;
      const tally = change(source ?? emptyTally(segment));
      const guard =
        seqNo === undefined || term === undefined
          ? { op_type: 'create' as const }
          : { if_seq_no: seqNo, if_primary_term: term };
      try {
        const document = { kind: 'tally', collector, name: at.id, ...tally };
        await ask(() => this.#client.index({ ...at, ...guard, document }));
        return;
      } catch (error) {
        if (errorType(error) !== 'version_conflict_engine_exception') throw error;
      }
    }
    throw unavailable('holds a tally that others keep changing');
  }
}

type Kind = 'tally' | 'erasing' | 'erased';

interface Entry<T> {
  readonly id: string;
  readonly source: T;
  readonly sort: estypes.SortResults | undefined;
}

const DEFINITION: Pick<estypes.IndicesCreateRequest, 'settings' | 'mappings'> = {
  settings: { number_of_shards: 1, auto_expand_replicas: '0-1' },
  mappings: {
    dynamic: false,
    properties: {
      kind: { type: 'keyword' },
      collector: { type: 'keyword' },
      segment: { type: 'long' },
      name: { type: 'keyword' },
    },
  },
};

function countedBy(counts: readonly ErasedCount[]): object {
  return { collector: [...new Set(counts.map(({ collector }) => collector))], counts };
}

function tallyOf(tally: Tally, erased: number): Tally {
  const { segment, last, stored, duplicates, rejected, expired } = tally;
  return { segment, last, stored, duplicates, rejected, erased: tally.erased + erased, expired };
}

function emptyTally(segment: number): Tally {
  return {
    segment,
    last: segment - 1,
    stored: 0,
    duplicates: 0,
    rejected: 0,
    erased: 0,
    expired: 0,
  };
}

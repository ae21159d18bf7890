import type { Client, estypes } from '@elastic/elasticsearch';
import type { Clause } from './compile.ts';
import type { Batch, Tally } from '../../event-store.ts';
import type { Outcome } from './append.ts';
import { ask, errorType, unavailable, refresh } from './connection.ts';

/** Tries of a write that others may get in between of. */
const TRIES_MAX = 20;
const PAGE_DOCUMENTS = 1_000;

/** Something that is to be taken out, written down before it is. */
export interface Plan<T> {
  readonly id: string;
  readonly what: T;
  /** Of the document that holds it: only one call can finish it. */
  readonly guard: { readonly if_seq_no: number; readonly if_primary_term: number };
}

/** What went of one segment of a journal. */
export interface Gone {
  readonly collector: string;
  readonly segment: number;
  readonly events: number;
}

/**
 * What the store knows beside the events, in an index that the pattern of the daily ones does not
 * match. `kind` tells its documents apart:
 *
 * - `tally`: one for each segment of each journal. The cursor of a journal is the event after the
 *   last of its newest segment, so that one write moves both.
 * - `erasing` and `erased`, `expiring` and `expired`: a plan, written before some events are taken
 *   out, and the same document once they are. A crash between the two leaves a plan that is
 *   finished before tallies are read. What is gone is added to a tally when it is read.
 * - `counts-kept`: one, from which day on counts outlive what is dropped.
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
    const erased = await this.#gone('erased', collector);
    const expired = await this.#gone('expired', collector);
    return tallies
      .map(({ source: { segment, last, stored, duplicates, rejected } }) => ({
        segment,
        last,
        stored,
        duplicates,
        rejected,
        erased: erased.get(segment) ?? 0,
        expired: expired.get(segment) ?? 0,
      }))
      .toSorted((a, b) => a.segment - b.segment);
  }

  /** Counts the outcomes of a batch and moves the cursor past it; what is counted stays so. */
  async commit(batch: Batch, outcomes: readonly Outcome[]): Promise<void> {
    const { collector, segment } = batch;
    const name = `${collector}/${segment}`;
    await this.#change<TallyDocument>(name, (old) => {
      const tally = old ?? emptyTally(segment);
      const news = outcomes.slice(Math.max(0, tally.last + 1 - batch.first));
      const stored = news.filter((outcome) => outcome === 'stored').length;
      const duplicates = news.filter((outcome) => outcome === 'duplicate').length;
      return {
        ...tally,
        kind: 'tally',
        collector,
        name,
        last: Math.max(tally.last, batch.last),
        stored: tally.stored + stored,
        duplicates: tally.duplicates + duplicates,
        rejected: tally.rejected + news.length - stored - duplicates,
      };
    });
  }

  /** Undefined when there is, or was, a plan of this id. */
  async plan<T extends object>(
    kind: keyof typeof DONE,
    id: string,
    what: T,
  ): Promise<Plan<T> | undefined> {
    try {
      const { _seq_no: seqNo, _primary_term: term } = await ask(() =>
        this.#client.create({ index: this.#index, id, document: { kind, name: id, what } }),
      );
      return { id, what, guard: guardOf(seqNo, term) };
    } catch (error) {
      if (errorType(error) === CONFLICT) return undefined;
      throw error;
    }
  }

  /** Plans that nobody has finished. */
  async openPlans<T>(kind: keyof typeof DONE): Promise<readonly Plan<T>[]> {
    await this.#refresh();
    const open = await this.#all<{ readonly what: T }>(kind, { match_all: {} });
    return open.map(({ id, source: { what }, seqNo, term }) => ({
      id,
      what,
      guard: guardOf(seqNo, term),
    }));
  }

  /** Counts what went. False when another call has finished the plan before. */
  async finish(
    kind: keyof typeof DONE,
    { id, guard }: Plan<unknown>,
    counts: readonly Gone[],
  ): Promise<boolean> {
    const collector = [...new Set(counts.map((count) => count.collector))];
    const document = { kind: DONE[kind], name: id, collector, counts };
    return this.#write({ index: this.#index, id, ...guard, document });
  }

  /** Events that are gone, by segment. */
  async #gone(
    kind: (typeof DONE)[keyof typeof DONE],
    collector: string,
  ): Promise<ReadonlyMap<number, number>> {
    const gone = new Map<number, number>();
    const found = await this.#all<{ readonly counts: readonly Gone[] }>(kind, {
      term: { collector },
    });
    for (const { segment, events } of found
      .flatMap(({ source }) => source.counts)
      .filter((count) => count.collector === collector)) {
      gone.set(segment, (gone.get(segment) ?? 0) + events);
    }
    return gone;
  }

  /** Epoch ms: the first UTC day that was not dropped with its counts. */
  async countsFrom(): Promise<number> {
    const { _source: kept } = await ask(() =>
      this.#client.get<CountsKept>({ index: this.#index, id: COUNTS_KEPT }, { ignore: [404] }),
    );
    return kept === undefined ? Number.NEGATIVE_INFINITY : Date.parse(kept.from);
  }

  /** Notes that the days before a UTC day are dropped with their counts; there is no way back. */
  async noteCountsFrom(day: string): Promise<void> {
    await this.#change<CountsKept>(COUNTS_KEPT, (kept) =>
      kept !== undefined && kept.from >= day ? undefined : { kind: COUNTS_KEPT, from: day },
    );
  }

  /** False where another call was faster. */
  async #write(request: estypes.IndexRequest): Promise<boolean> {
    try {
      await ask(() => this.#client.index(request));
      return true;
    } catch (error) {
      if (errorType(error) === CONFLICT) return false;
      throw error;
    }
  }

  async #refresh(): Promise<void> {
    await refresh(this.#client, this.#index);
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
        seq_no_primary_term: true,
        ...search,
      }),
    );
    if (answer.timed_out) throw unavailable('took too long to answer');
    return answer.hits.hits.flatMap(({ _id = '', _source, sort, _seq_no, _primary_term }) =>
      _source ? [{ id: _id, source: _source, sort, seqNo: _seq_no, term: _primary_term }] : [],
    );
  }

  /** Changes a document that others change too; undefined leaves it as it is. */
  async #change<T extends object>(
    id: string,
    change: (old: T | undefined) => T | undefined,
  ): Promise<void> {
    const at = { index: this.#index, id };
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const old = await ask(() => this.#client.get<T>(at, { ignore: [404] }));
      const { _source: source, _seq_no: seqNo, _primary_term: term } = old;
      const document = change(source);
      if (document === undefined) return;
      const guard = source === undefined ? { op_type: 'create' as const } : guardOf(seqNo, term);
      if (await this.#write({ ...at, ...guard, document })) return;
    }
    throw unavailable('holds a document that others keep changing');
  }
}

/** What a plan of each kind becomes. */
const DONE = { erasing: 'erased', expiring: 'expired' } as const;

const COUNTS_KEPT = 'counts-kept';

interface CountsKept {
  readonly kind: typeof COUNTS_KEPT;
  /** UTC day (`2026-11-23`). */
  readonly from: string;
}

interface TallyDocument extends Tally {
  readonly kind: 'tally';
  readonly collector: string;
  readonly name: string;
}

type Kind = 'tally' | keyof typeof DONE | (typeof DONE)[keyof typeof DONE];

const CONFLICT = 'version_conflict_engine_exception';

interface Entry<T> {
  readonly id: string;
  readonly source: T;
  readonly sort: estypes.SortResults | undefined;
  readonly seqNo: number | undefined;
  readonly term: number | undefined;
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

function guardOf(seqNo: number | undefined, term: number | undefined): Plan<unknown>['guard'] {
  if (seqNo === undefined || term === undefined)
    throw unavailable('hides the version of a document');
  return { if_seq_no: seqNo, if_primary_term: term };
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

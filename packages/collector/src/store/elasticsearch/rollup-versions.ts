import type { Client, estypes } from '@elastic/elasticsearch';
import type { Range } from '../../query/query.ts';
import { ask, errorType, unavailable } from './connection.ts';

/**
 * One count of a daily index, in all tables of a rollup. While it is `counting` its documents are
 * not all there; once it is `whole` they stand for the events of the index for as long as this has
 * the same `print`; `outlived`, they stand for them for good, for the index is dropped; when it is
 * `old` nobody begins to read them any more, and they will be deleted. A `dropped` one is old, and
 * its index is counted anew at once. An `unfit` one has none: in this index the events do not have
 * what the rollup needs.
 */
export interface Version {
  readonly version: string;
  /** Name of the rollup. */
  readonly rollup: string;
  readonly status: 'counting' | 'whole' | 'outlived' | 'old' | 'dropped' | 'unfit';
  readonly index: string;
  readonly uuid: string;
  readonly print: string;
  readonly range: Range;
  /** The indices that hold the counts, by place, and Elasticsearch's own names of them. */
  readonly at: Readonly<Record<string, string>>;
  readonly uuids: Readonly<Record<string, string>>;
  /** Epoch ms. */
  readonly changed: number;
}

/** A version as it was read: it is changed only while it is the same. */
export interface Held<T> {
  readonly value: T;
  readonly guard: { readonly if_seq_no: number; readonly if_primary_term: number };
}

const LEASE = 'lease';
const WANTED = 'wanted';
const VERSIONS_PAGE = 1_000;
const TRIES_MAX = 20;
const DROPPABLE: ReadonlySet<Version['status']> = new Set(['counting', 'whole', 'unfit']);
const CONFLICT = 'version_conflict_engine_exception';

interface Lease {
  readonly holder: string;
  /** Epoch ms. */
  readonly until: number;
}

/** When a collector last said that it wants a rollup, by its name; epoch ms. */
export type Wanted = Readonly<Record<string, number>>;

/** The versions of all daily indices, and who may make them, in an index of their own. */
export class RollupVersions {
  readonly #client: Client;
  readonly index: string;

  constructor(client: Client, prefix: string) {
    this.#client = client;
    this.index = `${prefix}_rollups`;
  }

  async create(): Promise<void> {
    if (await ask(() => this.#client.indices.exists({ index: this.index }))) return;
    try {
      await ask(() => this.#client.indices.create({ index: this.index, ...DEFINITION }));
    } catch (error) {
      if (errorType(error) !== 'resource_already_exists_exception') throw error;
    }
  }

  /** None where nothing has ever been counted. */
  async all(): Promise<readonly Held<Version>[]> {
    const found: Held<Version>[] = [];
    for (let after: estypes.SortResults | undefined; ;) {
      const { hits, timed_out: isCut } = await this.#page(after);
      if (isCut) throw unavailable('took too long to answer');
      for (const { _source: value, _seq_no, _primary_term } of hits.hits) {
        if (value) found.push({ value, guard: guardOf(_seq_no, _primary_term) });
      }
      if (hits.hits.length < VERSIONS_PAGE) return found;
      after = hits.hits.at(-1)?.sort;
    }
  }

  #page(after: estypes.SortResults | undefined): Promise<estypes.SearchResponse<Version>> {
    return ask(() =>
      this.#client.search<Version>({
        index: this.index,
        ignore_unavailable: true,
        allow_partial_search_results: false,
        query: { exists: { field: 'version' } },
        sort: [{ version: 'asc' }],
        size: VERSIONS_PAGE,
        seq_no_primary_term: true,
        ...(after ? { search_after: after } : {}),
      }),
    );
  }

  async add(value: Version): Promise<Held<Version>> {
    const at = { index: this.index, id: value.version };
    const { _seq_no, _primary_term } = await ask(() =>
      this.#client.create({ ...at, document: value, refresh: true }),
    );
    return { value, guard: guardOf(_seq_no, _primary_term) };
  }

  /** False where another collector was faster. */
  async change({ value, guard }: Held<Version>, news: Partial<Version>): Promise<boolean> {
    const at = { index: this.index, id: value.version, ...guard };
    return this.#tryTo(() =>
      this.#client.index({ ...at, document: { ...value, ...news }, refresh: true }),
    );
  }

  async remove({ value, guard }: Held<Version>): Promise<void> {
    const at = { index: this.index, id: value.version, ...guard };
    await this.#tryTo(() => this.#client.delete({ ...at, refresh: true }));
  }

  /**
   * Makes a whole version outlive its index; one that is no more stays as it is, but for one that was
   * dropped since: its counts are still there, and soon are all that there is.
   */
  async outlive(version: string): Promise<void> {
    const at = { index: this.index, id: version };
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const found = await ask(() => this.#client.get<Version>(at, { ignore: [404] }));
      const { _source: value, _seq_no, _primary_term } = found;
      if (value?.status !== 'whole' && value?.status !== 'dropped') return;
      const held = { value, guard: guardOf(_seq_no, _primary_term) };
      if (await this.change(held, { status: 'outlived' })) return;
    }
    throw unavailable('holds counts that others keep changing');
  }

  /** Makes all versions of a rollup dropped, but those that outlive their index. */
  async drop(rollup: string, now: number): Promise<void> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const held = (await this.all()).filter(
        ({ value }) => value.rollup === rollup && DROPPABLE.has(value.status),
      );
      if (held.length === 0) return;
      const operations = held.flatMap(({ value, guard }) => [
        { index: { _index: this.index, _id: value.version, ...guard } },
        { ...value, status: 'dropped', changed: now } satisfies Version,
      ]);
      // What others have changed meanwhile is found again.
      await ask(() => this.#client.bulk({ operations, refresh: true, filter_path: ['errors'] }));
    }
    throw unavailable('holds counts that others keep changing');
  }

  /** Notes that a collector wants these rollups now, and returns what all collectors want. */
  async want(names: readonly string[], now: number, oldMs: number): Promise<Wanted> {
    const at = { index: this.index, id: WANTED };
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const found = await ask(() => this.#client.get<{ wanted: Wanted }>(at, { ignore: [404] }));
      const { _source: known, _seq_no, _primary_term } = found;
      const { wanted = {} } = known ?? {};
      if (names.every((name) => (wanted[name] ?? Number.NEGATIVE_INFINITY) > now - oldMs)) {
        return wanted;
      }
      const news = { ...wanted, ...Object.fromEntries(names.map((name) => [name, now])) };
      const guard = known ? guardOf(_seq_no, _primary_term) : ({ op_type: 'create' } as const);
      const document = { wanted: news };
      if (await this.#tryTo(() => this.#client.index({ ...at, ...guard, document }))) return news;
    }
    throw unavailable('holds a document that others keep changing');
  }

  /** Whether `holder` may count until then: nobody else does, or has not renewed it in time. */
  async lease(holder: string, now: number, until: number): Promise<boolean> {
    const at = { index: this.index, id: LEASE };
    const found = await ask(() => this.#client.get<Lease>(at, { ignore: [404] }));
    const { _source: lease, _seq_no, _primary_term } = found;
    if (lease && lease.holder !== holder && lease.until > now) return false;
    const guard = lease ? guardOf(_seq_no, _primary_term) : ({ op_type: 'create' } as const);
    return this.#tryTo(() =>
      this.#client.index({ ...at, ...guard, document: { holder, until } satisfies Lease }),
    );
  }

  async #tryTo(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await ask(write);
      return true;
    } catch (error) {
      if (errorType(error) === CONFLICT) return false;
      throw error;
    }
  }
}

const DEFINITION: Pick<estypes.IndicesCreateRequest, 'settings' | 'mappings'> = {
  settings: { number_of_shards: 1, auto_expand_replicas: '0-1' },
  mappings: { dynamic: false, properties: { version: { type: 'keyword' } } },
};

function guardOf(seqNo: number | undefined, term: number | undefined): Held<Version>['guard'] {
  if (seqNo === undefined || term === undefined) {
    throw unavailable('hides the version of a document');
  }
  return { if_seq_no: seqNo, if_primary_term: term };
}

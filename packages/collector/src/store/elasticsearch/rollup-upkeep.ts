import { randomUUID } from 'node:crypto';
import type { Client } from '@elastic/elasticsearch';
import type { RollupProgress } from '../../event-store.ts';
import type { Range } from '../../query/query.ts';
import { ask, type ElasticsearchOptions, errorType, unavailable } from './connection.ts';
import { type Count, countEvents } from './count-events.ts';
import { type Index, indicesLike } from './daily-indices.ts';
import { type CountsName, countsNames, DAY_MS, VERSION } from './rollup-plan.ts';
import { rollupIndex, rollupTemplate } from './rollup-template.ts';
import { type Held, RollupVersions, type Version } from './rollup-versions.ts';
import { readRollups, type RollupsRead } from './rollups.ts';
import { dayOfIndex } from './template.ts';

const HOUR_MS = 3_600_000;
/** Events of a day still come in when it is over. */
const CLOSED_AFTER_MS = HOUR_MS;
/** Far longer than any search that has begun to read a count takes. */
const OLD_MS = HOUR_MS;
const LEASE_MS = 10 * 60_000;
const DELETED_AT_ONCE = 10_000;

/** Makes the counts of closed days and deletes those that are no longer true; see `rollups.ts`. */
export class RollupUpkeep {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #options: ElasticsearchOptions;
  readonly #versions: RollupVersions;
  readonly #holder: string = randomUUID();
  readonly #now: () => number;

  constructor(client: Client, prefix: string, options: ElasticsearchOptions) {
    this.#client = client;
    this.#prefix = prefix;
    this.#options = options;
    this.#versions = new RollupVersions(client, prefix);
    this.#now = options.now ?? Date.now;
  }

  /** Counts what is to be counted, one index after the other, the newest first. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#versions.create();
    if (!(await this.#mayCount())) return;
    try {
      await this.#work(signal);
    } finally {
      await this.#versions.lease(this.#holder, this.#now(), 0);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const read = await this.#read();
    for (const held of read.versions) await this.#tidy(held, read);
    const waiting = this.#waiting(await this.#read());
    if (waiting.length > 0) await this.#putTemplate();
    for (const { name } of waiting) {
      if (signal.aborted || !(await this.#mayCount())) return;
      await this.#count(name, signal);
    }
  }

  /** How many events there are and are counted; it is up to date when no index waits to be. */
  async progress(): Promise<Omit<RollupProgress, 'name'>> {
    const read = await this.#read();
    const counted = [...read.whole].map(({ index }) => index);
    const answer = await ask(() =>
      this.#client.search<unknown, Record<string, { readonly doc_count: number }>>({
        index: `${this.#prefix}-*`,
        size: 0,
        track_total_hits: false,
        allow_partial_search_results: false,
        query: { exists: { field: '@timestamp' } },
        aggs: {
          events: { filter: { match_all: {} } },
          counted: { filter: { terms: { _index: counted } } },
        },
      }),
    );
    if (answer.timed_out) throw unavailable('took too long to answer');
    const { aggregations: found } = answer;
    return {
      events: found?.['events']?.doc_count ?? 0,
      counted: found?.['counted']?.doc_count ?? 0,
      isUpToDate: this.#waiting(read).length === 0,
    };
  }

  /** Indices that have yet to be counted; one whose old count is still there is not among them. */
  #waiting({ indices, versions }: RollupsRead): readonly Index[] {
    const known = new Set(versions.map(({ value }) => value.index));
    return [...indices.values()]
      .filter((index) => this.#isClosed(index) && !known.has(index.name))
      .toSorted((a, b) => (a.name < b.name ? 1 : -1));
  }

  #read(): Promise<RollupsRead> {
    return readRollups(this.#client, this.#prefix, this.#versions);
  }

  #mayCount(): Promise<boolean> {
    const now = this.#now();
    return this.#versions.lease(this.#holder, now, now + LEASE_MS);
  }

  /** By UTC. An index that is of no day never is. */
  #isClosed({ name, print, isSettled }: Index): boolean {
    const day = dayOfIndex(this.#prefix, name);
    const isOver = day !== undefined && Date.parse(day) + DAY_MS + CLOSED_AFTER_MS <= this.#now();
    return isOver && isSettled && print !== undefined;
  }

  /** Nobody else has a version that is not whole: it is of a collector that has lost the lease. */
  async #tidy(held: Held<Version>, { indices, versions, whole }: RollupsRead): Promise<void> {
    const { value } = held;
    const now = this.#now();
    if (value.status === 'whole') {
      const index = indices.get(value.index);
      const isUnknown = index !== undefined && index.print === undefined;
      if (whole.has(value) || isUnknown) return;
      await this.#versions.change(held, { status: 'old', changed: now });
      return;
    }
    const { oldMs = OLD_MS } = this.#options;
    if (value.status === 'old' && value.changed + oldMs > now) return;
    const others = versions.filter((other) => other.value.version !== value.version);
    for (const name of countsNames) {
      if (indices.get(value.at[name])?.uuid !== value.uuids[name]) continue;
      const isShared = others.some((other) => other.value.at[name] === value.at[name]);
      await this.#deleteCounts(value.at[name], value.version, isShared);
    }
    await this.#versions.remove(held);
  }

  async #deleteCounts(index: string, version: string, isShared: boolean): Promise<void> {
    if (!isShared) {
      await ask(() => this.#client.indices.delete({ index }, { ignore: [404] }));
      return;
    }
    for (;;) {
      await ask(() => this.#client.indices.refresh({ index }));
      const found = await ask(() =>
        this.#client.search({
          index,
          query: { term: { [VERSION]: version } },
          _source: false,
          size: DELETED_AT_ONCE,
          allow_partial_search_results: false,
        }),
      );
      const ids = found.hits.hits.flatMap(({ _id }) => (_id === undefined ? [] : [_id]));
      if (ids.length === 0) return;
      const operations = ids.map((_id) => ({ delete: { _index: index, _id } }));
      const { errors: failed } = await ask(() => this.#client.bulk({ operations }));
      if (failed) throw unavailable('deletes no counts for now');
    }
  }

  async #putTemplate(): Promise<void> {
    await ask(() =>
      this.#client.indices.putIndexTemplate(rollupTemplate(this.#prefix, this.#options)),
    );
  }

  async #count(name: string, signal: AbortSignal): Promise<void> {
    const index = await this.#indexNow(name);
    if (index === undefined || !this.#isClosed(index)) return;
    const held = await this.#begin(index);
    await ask(() => this.#client.indices.refresh({ index: name }));
    const range = await this.#write(held.value, signal);
    if (range === undefined) return;
    await ask(() => this.#client.indices.refresh({ index: Object.values(held.value.at) }));
    const after = await this.#indexNow(name);
    const isSame = after?.uuid === index.uuid && after.print === index.print;
    if (isSame) await this.#versions.change(held, { status: 'whole', range, changed: this.#now() });
  }

  async #indexNow(name: string): Promise<Index | undefined> {
    return (await indicesLike(this.#client, [name])).get(name);
  }

  async #begin({ name, uuid, print = '' }: Index): Promise<Held<Version>> {
    const day = dayOfIndex(this.#prefix, name) ?? '';
    const at = byName((counts) => rollupIndex(this.#prefix, counts, day));
    for (const index of Object.values(at)) await this.#create(index);
    const made = await indicesLike(this.#client, Object.values(at));
    return this.#versions.add({
      version: randomUUID(),
      status: 'counting',
      index: name,
      uuid,
      print,
      range: { from: 0, to: 0 },
      at,
      uuids: byName((counts) => made.get(at[counts])?.uuid ?? ''),
      changed: this.#now(),
    });
  }

  async #create(index: string): Promise<void> {
    try {
      await ask(() => this.#client.indices.create({ index }));
    } catch (error) {
      if (errorType(error) !== 'resource_already_exists_exception') throw error;
    }
  }

  /** Returns the days of the events; undefined where it was stopped. */
  async #write({ index, version, at }: Version, signal: AbortSignal): Promise<Range | undefined> {
    let [from, to] = [Infinity, -Infinity];
    for (const name of countsNames) {
      for await (const page of countEvents(this.#client, index, name)) {
        if (signal.aborted || !(await this.#mayCount())) return undefined;
        await this.#writePage(at[name], version, page);
        if (name !== 'days') continue;
        for (const count of page) {
          from = Math.min(from, count['@timestamp']);
          to = Math.max(to, count['@timestamp'] + DAY_MS);
        }
      }
    }
    return from < to ? { from, to } : { from: 0, to: 0 };
  }

  async #writePage(index: string, version: string, page: readonly Count[]): Promise<void> {
    const operations = page.flatMap((count) => [
      { create: { _index: index } },
      { ...count, [VERSION]: version },
    ]);
    const { errors: failed } = await ask(() =>
      this.#client.bulk({ operations, filter_path: ['errors'] }),
    );
    if (failed) throw unavailable('takes no counts for now');
  }
}

function byName<T>(valueOf: (name: CountsName) => T): Record<CountsName, T> {
  return { days: valueOf('days'), quarters: valueOf('quarters') };
}

import { randomUUID } from 'node:crypto';
import type { Client } from '@elastic/elasticsearch';
import type { RollupProgress } from '../../event-store.ts';
import { rollupsCalled } from '../rollups-called.ts';
import { ask, type ElasticsearchOptions, unavailable } from './connection.ts';
import { type Index, indicesLike } from './daily-indices.ts';
import { deleteVersion, dropUnused } from './rollup-deletion.ts';
import { counts, DAY_MS, type Rollup } from './rollup.ts';
import { RollupCounter } from './rollup-counter.ts';
import { type Held, RollupVersions, type Version, type Wanted } from './rollup-versions.ts';
import { RollupReader, type RollupsRead } from './rollups.ts';
import { dayOfIndex } from './template.ts';

const HOUR_MS = 3_600_000;
/** Events of a day still come in when it is over. */
const CLOSED_AFTER_MS = HOUR_MS;
/** Far longer than any search that has begun to read a count takes. */
const OLD_MS = HOUR_MS;
const LEASE_MS = 10 * 60_000;
/** What no collector has wanted for so long is dropped. */
const WANTED_MS = HOUR_MS;
/** So often a collector says what it wants. */
const WANT_MS = WANTED_MS / 6;

/** Makes the counts of closed days and deletes those that are no longer true; see `rollups.ts`. */
export class RollupUpkeep {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #oldMs: number;
  readonly #rollups: readonly Rollup[];
  readonly #versions: RollupVersions;
  readonly #reader: RollupReader;
  readonly #counter: RollupCounter;
  readonly #holder: string = randomUUID();
  readonly #now: () => number;
  #wantedAt: number = Number.NEGATIVE_INFINITY;
  #leasedUntil = 0;
  #wanted: Wanted = {};
  /** Work under the lease, of which one goes on at a time; whoever waits for it. */
  #working: Promise<unknown> = Promise.resolve();
  #waitingForIt = 0;

  constructor(
    client: Client,
    prefix: string,
    options: ElasticsearchOptions,
    declared: readonly Rollup[],
  ) {
    this.#client = client;
    this.#prefix = prefix;
    this.#oldMs = options.oldMs ?? OLD_MS;
    this.#rollups = [counts, ...declared];
    this.#versions = new RollupVersions(client, prefix);
    this.#reader = new RollupReader(client, prefix);
    this.#counter = new RollupCounter(client, prefix, options);
    this.#now = options.now ?? Date.now;
  }

  /**
   * Counts what is to be counted, one index after the other, the newest first. Makes way for
   * `countForGood`.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#leased((mayCount) =>
      this.#work(async () => !signal.aborted && this.#waitingForIt === 0 && (await mayCount())),
    );
  }

  /**
   * The counts of an index that nobody writes to any more: one for each rollup. Throws `unavailable`
   * while another collector counts.
   */
  async countForGood(name: string): Promise<readonly Version[]> {
    this.#waitingForIt++;
    try {
      const counted = await this.#leased((mayCount) => this.#countForGood(name, mayCount));
      if (counted) return counted;
    } finally {
      this.#waitingForIt--;
    }
    throw unavailable('has days to drop whose counts have yet to be made, or are being made');
  }

  /** Drops what is counted of the rollups of a name; the next `run` counts their indices anew. */
  async rebuild(name: string): Promise<void> {
    for (const rollup of rollupsCalled(name, this.#rollups)) {
      await this.#versions.drop(rollup.name, this.#now());
    }
  }

  /** Undefined where another collector has the lease. */
  async #leased<T>(work: (mayCount: () => Promise<boolean>) => Promise<T>): Promise<T | undefined> {
    const before = this.#working;
    const done = Promise.withResolvers<void>();
    this.#working = done.promise;
    try {
      await before;
      await this.#versions.create();
      this.#wanted = await this.#want();
      if (!(await this.#mayCount())) return undefined;
      try {
        return await work(() => this.#mayCount());
      } finally {
        this.#leasedUntil = 0;
        await this.#versions.lease(this.#holder, this.#now(), 0);
      }
    } finally {
      done.resolve();
    }
  }

  async #work(mayGoOn: () => Promise<boolean>): Promise<void> {
    const read = await this.#reader.read();
    for (const held of read.versions) await this.#tidy(held, read);
    const now = await this.#reader.read();
    await dropUnused(this.#client, this.#prefix, this.#versions, now);
    const waiting = this.#rollups.flatMap((rollup) =>
      this.#waiting(rollup, now).map((index) => ({ rollup, index })),
    );
    if (waiting.length > 0) await this.#counter.putTemplate();
    for (const { rollup, index } of waiting) {
      if (!(await mayGoOn())) return;
      const { name } = index;
      const found = (await indicesLike(this.#client, [name])).get(name);
      if (found && this.#isClosed(found)) await this.#counter.count(rollup, found, mayGoOn);
    }
  }

  /** Those that another collector wants are as good as they are. */
  async #countForGood(
    name: string,
    mayCount: () => Promise<boolean>,
  ): Promise<readonly Version[] | undefined> {
    await this.#counter.putTemplate();
    for (const rollup of this.#rollups) {
      const read = await this.#reader.read();
      const index = read.indices.get(name);
      if (index?.print === undefined || !index.isSettled) return undefined;
      if (!isDone(rollup, index, read)) await this.#counter.count(rollup, index, mayCount);
    }
    const read = await this.#reader.read();
    const index = read.indices.get(name);
    if (!index || !this.#rollups.every((rollup) => isDone(rollup, index, read))) return undefined;
    return [...read.whole].filter(({ uuid }) => uuid === index.uuid);
  }

  /** How many events there are and are counted; up to date when no index waits to be. */
  async progress(): Promise<readonly RollupProgress[]> {
    const read = await this.#reader.read();
    const countedBy = this.#rollups.map(({ name }) =>
      [...read.whole].flatMap(({ rollup, index, uuid }) =>
        rollup === name && read.indices.get(index)?.uuid === uuid ? [index] : [],
      ),
    );
    const answer = await ask(() =>
      this.#client.search<unknown, Record<string, { readonly doc_count: number }>>({
        index: `${this.#prefix}-*`,
        size: 0,
        track_total_hits: false,
        allow_partial_search_results: false,
        query: { exists: { field: '@timestamp' } },
        aggs: {
          events: { filter: { match_all: {} } },
          ...Object.fromEntries(
            countedBy.map((index, at) => [
              `counted${at}`,
              { filter: { terms: { _index: index } } },
            ]),
          ),
        },
      }),
    );
    if (answer.timed_out) throw unavailable('took too long to answer');
    const { aggregations: found } = answer;
    return this.#rollups.map((rollup, at) => ({
      name: rollup.title,
      events: found?.['events']?.doc_count ?? 0,
      counted: found?.[`counted${at}`]?.doc_count ?? 0,
      isUpToDate: this.#waiting(rollup, read).length === 0,
    }));
  }

  /**
   * Indices that have yet to be counted; one whose old count is still there is not among them, unless
   * that was dropped.
   */
  #waiting({ name: rollup }: Rollup, { indices, versions }: RollupsRead): readonly Index[] {
    const of = versions.filter(
      ({ value }) => value.rollup === rollup && value.status !== 'dropped',
    );
    // One that outlived its index says nothing of another of the same name.
    const known = new Set(
      of.map(({ value }) => (value.status === 'outlived' ? value.uuid : value.index)),
    );
    return [...indices.values()]
      .filter((index) => this.#isClosed(index) && !known.has(index.name) && !known.has(index.uuid))
      .toSorted((a, b) => (a.name < b.name ? 1 : -1));
  }

  /** Asks for the lease again before it has come to its half. */
  async #mayCount(): Promise<boolean> {
    const now = this.#now();
    if (this.#wantedAt + WANT_MS <= now) await this.#want();
    if (this.#leasedUntil - now > LEASE_MS / 2) return true;
    const until = now + LEASE_MS;
    const isOurs = await this.#versions.lease(this.#holder, now, until);
    this.#leasedUntil = isOurs ? until : 0;
    return isOurs;
  }

  async #want(): Promise<Wanted> {
    this.#wantedAt = this.#now();
    const names = this.#rollups.map(({ name }) => name);
    return this.#versions.want(names, this.#wantedAt, WANT_MS);
  }

  /** By UTC. An index that is of no day never is. */
  #isClosed({ name, print, isSettled }: Index): boolean {
    const day = dayOfIndex(this.#prefix, name);
    const isOver = day !== undefined && Date.parse(day) + DAY_MS + CLOSED_AFTER_MS <= this.#now();
    return isOver && isSettled && print !== undefined;
  }

  /** Nobody else has a version that is not whole: it is of a collector that has lost the lease. */
  async #tidy(held: Held<Version>, read: RollupsRead): Promise<void> {
    const { value } = held;
    const now = this.#now();
    if (value.status === 'whole' || value.status === 'outlived' || value.status === 'unfit') {
      if (this.#isKept(value, read)) return;
      await this.#versions.change(held, { status: 'old', changed: now });
      return;
    }
    const isOver = value.status === 'old' || value.status === 'dropped';
    if (isOver && value.changed + this.#oldMs > now) return;
    await this.#deleteCounts(value, read);
    await this.#versions.remove(held);
  }

  #isKept(value: Version, { indices, whole }: RollupsRead): boolean {
    const wantedAt = this.#wanted[value.rollup] ?? Number.NEGATIVE_INFINITY;
    if (wantedAt + WANTED_MS <= this.#now()) return false;
    const index = indices.get(value.index);
    const isUnknown = index !== undefined && index.print === undefined;
    if (value.status === 'outlived') return true;
    if (value.status === 'unfit') return isUnknown || index?.print === value.print;
    return isUnknown || whole.has(value);
  }

  /** Indices that are of no other version go as a whole, when the version is gone. */
  async #deleteCounts(value: Version, { indices, versions }: RollupsRead): Promise<void> {
    const others = versions.filter((other) => other.value.version !== value.version);
    const shared = new Set(others.flatMap((other) => Object.values(other.value.at)));
    for (const [place, index] of Object.entries(value.at)) {
      if (!shared.has(index) || indices.get(index)?.uuid !== value.uuids[place]) continue;
      await deleteVersion(this.#client, index, value.version);
    }
  }
}

/** Whether an index is counted, or cannot be. */
function isDone({ name }: Rollup, { uuid }: Index, { whole, versions }: RollupsRead): boolean {
  const unfit = versions.map(({ value }) => value).filter(({ status }) => status === 'unfit');
  return [...whole, ...unfit].some((one) => one.rollup === name && one.uuid === uuid);
}

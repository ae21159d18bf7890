import type { Client } from '@elastic/elasticsearch';
import type { Query } from '../../query/query.ts';
import { type Index, indicesLike } from './daily-indices.ts';
import { isCountable, planRollups, type RollupPlan, type RollupState } from './rollup-plan.ts';
import { type Held, RollupVersions, type Version } from './rollup-versions.ts';

/** How long a state is believed: as long as Elasticsearch takes to show an event. */
const STATE_MS = 1_000;

/** What is there at a moment. */
export interface RollupsRead {
  /** Daily indices and those of counts, by name. */
  readonly indices: ReadonlyMap<string, Index>;
  readonly versions: readonly Held<Version>[];
  /** Of the versions those that are read, one for an index. */
  readonly whole: ReadonlySet<Version>;
}

/**
 * Counts of the events of past days, so that an answer about them need not read the events.
 *
 * - What is counted is a daily index, whatever the times of its events, when its day is over. The
 *   count notes the last operation on each shard; an event that comes late or is erased is
 *   another operation, and from then on the index is read live. So nothing that writes events
 *   has to know of counts, and a count is never changed.
 * - The documents of a count carry its name, a version. They are read by the versions that are
 *   whole and of an index as it is now, and a version becomes whole in one write, after all its
 *   documents are there and the index has been found to be the same as before. A crash leaves
 *   a version that is not whole, which is deleted.
 * - An index that has changed is counted anew when its old count is deleted, an hour after nobody
 *   has begun to read it any more: so often at most, however many events come late.
 * - With several collectors the one with the lease counts. The lease saves work and no more: of
 *   two that count the same index either count is right.
 *
 * This reads them, `rollup-upkeep.ts` makes them.
 */
export class Rollups {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #versions: RollupVersions;
  #known: { readonly state: Promise<RollupState>; readonly until: number } | undefined;

  constructor(client: Client, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
    this.#versions = new RollupVersions(client, prefix);
  }

  /** How to answer a query, if counts help. */
  async plan(query: Query): Promise<RollupPlan | undefined> {
    return isCountable(query) ? planRollups(this.#prefix, query, await this.#state()) : undefined;
  }

  /** What has been written so far is seen by the next query. */
  forget(): void {
    this.#known = undefined;
  }

  async #state(): Promise<RollupState> {
    if (this.#known === undefined || this.#known.until < performance.now()) {
      const state = readRollups(this.#client, this.#prefix, this.#versions).then((read) =>
        stateOf(this.#prefix, read),
      );
      this.#known = { state, until: performance.now() + STATE_MS };
    }
    const { state } = this.#known;
    try {
      return await state;
    } catch (error) {
      if (this.#known.state === state) this.forget();
      throw error;
    }
  }
}

export async function readRollups(
  client: Client,
  prefix: string,
  versions: RollupVersions,
): Promise<RollupsRead> {
  const [indices, held] = await Promise.all([
    indicesLike(client, [`${prefix}-*`, `${prefix}_rollup_*`]),
    versions.all(),
  ]);
  const whole = held.flatMap(({ value }) => (isWhole(value, indices) ? [value] : []));
  const byIndex = new Map(whole.map((value) => [value.index, value]));
  return { indices, versions: held, whole: new Set(byIndex.values()) };
}

/** It stands for the events of its index as they are now, and nobody has deleted its counts. */
function isWhole(
  { status, index, uuid, print, at, uuids }: Version,
  indices: ReadonlyMap<string, Index>,
): boolean {
  const counted = indices.get(index);
  return (
    status === 'whole' &&
    counted?.uuid === uuid &&
    counted.print === print &&
    indices.get(at.days)?.uuid === uuids.days &&
    indices.get(at.quarters)?.uuid === uuids.quarters
  );
}

function stateOf(prefix: string, { indices, whole }: RollupsRead): RollupState {
  const counted = new Set([...whole].map(({ index }) => index));
  const daily = [...indices.keys()].filter((name) => name.startsWith(`${prefix}-`));
  return { counted: [...whole], live: daily.filter((name) => !counted.has(name)) };
}

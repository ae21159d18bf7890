import type { Client } from '@elastic/elasticsearch';
import { stepsOf } from '../../query/others.ts';
import type { Query } from '../../query/query.ts';
import { type Index, indicesLike } from './daily-indices.ts';
import type { DeclaredRollup } from './declared-rollup.ts';
import { counts, DAY_MS, type Rollup } from './rollup.ts';
import {
  type Coverage,
  countsFrom,
  isCountable,
  planRollups,
  type RollupPlan,
  type RollupState,
  writesBeside,
} from './rollup-plan.ts';
import { type Held, RollupVersions, type Version } from './rollup-versions.ts';
import { dayOfIndex } from './template.ts';

/** How long a state is believed: as long as Elasticsearch takes to show an event. */
const STATE_MS = 1_000;
/** From then on the next is read, while the one that is known still answers. */
const AGEING_MS = STATE_MS / 2;

/** What is there at a moment. */
export interface RollupsRead {
  /** Daily indices and those of counts, by name. */
  readonly indices: ReadonlyMap<string, Index>;
  readonly versions: readonly Held<Version>[];
  /** Of the versions those that are read: of a rollup one for an index. */
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
 * - A rollup that is to be rebuilt is dropped version by version: each index is counted or read live.
 * - With several collectors the one with the lease counts. The lease saves work and no more: of
 *   two that count the same index either count is right.
 * - Where counts are kept longer than events, the version of an index that is to be dropped becomes
 *   one that outlives it, in the write before the index goes. Only an erased item takes something
 *   out of such a count.
 *
 * This reads them, `rollup-upkeep.ts` makes them, `outlived.ts` is about those that outlive.
 */
export class Rollups {
  readonly #prefix: string;
  readonly #declared: readonly DeclaredRollup[];
  readonly #reader: RollupReader;
  #known: Known | undefined;
  #next: Known | undefined;

  constructor(client: Client, prefix: string, declared: readonly DeclaredRollup[]) {
    this.#prefix = prefix;
    this.#declared = declared;
    this.#reader = new RollupReader(client, prefix);
  }

  /** How to answer a query, if counts help. */
  async plan(query: Query): Promise<RollupPlan | undefined> {
    if (!isCountable(query, this.#declared)) return undefined;
    return planRollups(query, await this.#state(), this.#declared);
  }

  /** Whether counts answer a query now, and no more than so many events are read beside them. */
  async isCountedAhead(query: Query, eventsMax: number): Promise<boolean> {
    const steps = stepsOf(query);
    if (!steps.every((one) => isCountable(one, this.#declared))) return false;
    const state = await this.#state();
    return steps.every((one) => writesBeside(one, state, this.#declared) <= eventsMax);
  }

  /** As `EventStore`, but for what was dropped while no counts were kept. */
  async countsFrom(query: Query): Promise<number> {
    const steps = stepsOf(query);
    const state = await this.#state();
    return Math.max(...steps.map((one) => countsFrom(one, state, this.#declared)));
  }

  /** What has been written so far is seen by the next query. */
  forget(): void {
    this.#known = undefined;
    this.#next = undefined;
  }

  async #state(): Promise<RollupState> {
    const now = performance.now();
    const isYoung = (known: Known | undefined, ms: number): known is Known =>
      known !== undefined && known.begunAt + ms >= now;
    if (!isYoung(this.#known, STATE_MS)) {
      this.#known = isYoung(this.#next, STATE_MS) ? this.#next : this.#begin(now);
      this.#next = undefined;
    } else if (!isYoung(this.#known, AGEING_MS)) {
      this.#next ??= this.#begin(now);
    }
    return this.#known.state;
  }

  #begin(now: number): Known {
    const state = this.#reader.read().then((read) => this.#stateOf(read));
    const known = { state, begunAt: now };
    state.catch(() => {
      if (this.#known === known) this.#known = undefined;
      if (this.#next === known) this.#next = undefined;
    });
    return known;
  }

  #stateOf(read: RollupsRead): RollupState {
    const rollups: readonly Rollup[] = [counts, ...this.#declared];
    return new Map(rollups.map(({ name }) => [name, coverageOf(this.#prefix, name, read)]));
  }
}

interface Known {
  readonly state: Promise<RollupState>;
  readonly begunAt: number;
}

/** Reads what is there; versions only where something has been written among them. */
export class RollupReader {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #versions: RollupVersions;
  #held: { readonly print: string; readonly versions: readonly Held<Version>[] } | undefined;

  constructor(client: Client, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
    this.#versions = new RollupVersions(client, prefix);
  }

  async read(): Promise<RollupsRead> {
    const { index } = this.#versions;
    const indices = await indicesLike(this.#client, [
      `${this.#prefix}-*`,
      `${this.#prefix}_rollup*`,
    ]);
    const { uuid, print } = indices.get(index) ?? {};
    const versions = await this.#versionsAt(uuid && print && `${uuid} ${print}`);
    const byEvents = new Map<string, Version>();
    for (const { value } of versions) {
      if (isWhole(value, indices)) byEvents.set(`${value.rollup} ${value.uuid}`, value);
    }
    return { indices, versions, whole: new Set(byEvents.values()) };
  }

  /** Every write among them is visible when it is acknowledged, so the same print has the same. */
  async #versionsAt(print: string | undefined): Promise<readonly Held<Version>[]> {
    if (print === undefined || this.#held?.print !== print) {
      const versions = await this.#versions.all();
      this.#held = print === undefined ? undefined : { print, versions };
      return versions;
    }
    return this.#held.versions;
  }
}

/** It stands for the events of its index as they are now, and nobody has deleted its counts. */
function isWhole(
  { status, index, uuid, print, at, uuids }: Version,
  indices: ReadonlyMap<string, Index>,
): boolean {
  const events = indices.get(index);
  const isTrue =
    status === 'outlived' ||
    (status === 'whole' && events?.uuid === uuid && events.print === print);
  return (
    isTrue &&
    Object.entries(at).every(([table, name]) => {
      return indices.get(name)?.uuid === uuids[table];
    })
  );
}

/** Epoch ms: when the day of an index ends. */
function endOf(prefix: string, index: string): number {
  return Date.parse(dayOfIndex(prefix, index) ?? '') + DAY_MS;
}

/** A day whose events came back after it was dropped has counts and an index. */
function coverageOf(prefix: string, rollup: string, { indices, whole }: RollupsRead): Coverage {
  const of = [...whole].filter((version) => version.rollup === rollup);
  const uuids = new Set(of.map(({ uuid }) => uuid));
  const daily = [...indices.values()].filter(({ name }) => name.startsWith(`${prefix}-`));
  const outlived = [...whole].filter(({ status }) => status === 'outlived');
  const uncounted = outlived.filter(({ uuid }) => !uuids.has(uuid));
  return {
    since: Math.max(
      Number.NEGATIVE_INFINITY,
      ...uncounted.map(({ index }) => endOf(prefix, index)),
    ),
    counted: of.map((version) => ({
      ...version,
      isOutlived: indices.get(version.index)?.uuid !== version.uuid,
    })),
    live: daily.filter(({ uuid }) => !uuids.has(uuid)).map(({ name }) => name),
    writes: new Map(daily.map(({ name, writes }) => [name, writes])),
  };
}

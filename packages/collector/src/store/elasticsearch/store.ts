import type { Client } from '@elastic/elasticsearch';
import { MetronomeError } from '../../errors.ts';
import type {
  Appended,
  Batch,
  EventStore,
  KeepRejects,
  PlaceCount,
  Reject,
  RollupProgress,
  Selection,
  Tally,
} from '../../event-store.ts';
import { checkQuery } from '../../query/check-query.ts';
import { askWithOthers, stepsOf } from '../../query/others.ts';
import type { Query, Row } from '../../query/query.ts';
import type { Scan } from '../../query/scan.ts';
import { createDocuments, type Outcome } from './append.ts';
import { Bodies } from './bodies.ts';
import {
  ask,
  connect,
  errorType,
  refresh,
  unavailable,
  type ElasticsearchOptions,
} from './connection.ts';
import { declaredRollups } from './declared-rollup.ts';
import { eraseEvents, finishErasures } from './erase.ts';
import { type CountsKept, expireDays, finishExpiries } from './expire.ts';
import { exportEvents } from './export.ts';
import { NumericMapping } from './numeric-mapping.ts';
import { countPlaces } from './places.ts';
import { OutlivedCounts } from './outlived.ts';
import { explainQuery } from './explain-query.ts';
import { askAroundOddHours, partsAroundOddHours } from './odd-hours.ts';
import { runQuery } from './run-query.ts';
import { type Search, searchWith } from './searches.ts';
import { Rollups } from './rollups.ts';
import { RollupUpkeep } from './rollup-upkeep.ts';
import { RollupVersions } from './rollup-versions.ts';
import { explainScan, runScan } from './scan.ts';
import { agreeSalt, forgetSalts } from './salt.ts';
import { State } from './state.ts';
import { putTemplate } from './template.ts';
import { type Turn, Turns } from './turns.ts';

/** Whoever asks whether a part is ready waits no longer. */
const CHECK_TIMEOUT_MS = 5_000;

/** What a search says that names an index which is not there any more. */
const GONE: ReadonlySet<string | undefined> = new Set([
  'index_not_found_exception',
  'index_closed_exception',
]);

/**
 * Events in an Elasticsearch cluster: one index a day, `PREFIX-YYYY.MM.DD` of UTC, in Logstash
 * format, and one small index `PREFIX_state` of what has been delivered. It can be made while the
 * cluster is down; every method then throws `unavailable` until it is there.
 *
 * Events and cursor cannot be written in one commit, so the events come first: a batch that comes
 * again after a crash meets its own documents and counts them as stored.
 */
export class ElasticsearchStore implements EventStore {
  /** A node would wait for the end of one batch and its commit before the next began. */
  readonly appendsAtOnce = 2;
  readonly #client: Client;
  readonly #prefix: string;
  readonly #options: ElasticsearchOptions;
  readonly #state: State;
  readonly #bodies = new Bodies();
  readonly #turns = new Turns();
  readonly #search: Search;
  readonly #rollups: Rollups;
  readonly #upkeep: RollupUpkeep;
  readonly #outlived: OutlivedCounts;
  readonly #countsKept: CountsKept;
  #numericMapping: NumericMapping;
  #prepared: Promise<void> | undefined;

  constructor(options: ElasticsearchOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? 'metronome';
    this.#client = connect(options);
    this.#numericMapping = this.#newNumericMapping();
    this.#state = new State(this.#client, this.#prefix);
    this.#search = searchWith(this.#client, `${this.#prefix}-*`);
    const declared = declaredRollups(options.queries ?? {});
    const versions = new RollupVersions(this.#client, this.#prefix);
    this.#rollups = new Rollups(this.#client, this.#prefix, declared);
    this.#upkeep = new RollupUpkeep(this.#client, this.#prefix, options, declared);
    this.#outlived = new OutlivedCounts(this.#client, this.#prefix, declared);
    this.#countsKept = {
      keep: async (index) => (await this.#upkeep.countForGood(index)).map(({ version }) => version),
      outlive: (version) => versions.outlive(version),
    };
  }

  async cursor(collector: string): Promise<number> {
    await this.#prepare();
    return this.#state.cursor(collector);
  }

  append(batch: Batch, keepRejects: KeepRejects): Promise<Appended> {
    return this.#turns.take((turn) => this.#append(batch, keepRejects, turn));
  }

  async #append(batch: Batch, keepRejects: KeepRejects, turn: Turn): Promise<Appended> {
    await this.#prepare();
    const outcomes = await this.#outcomesOf(batch, turn);
    const rejects = outcomes.filter((outcome): outcome is Reject => typeof outcome === 'object');
    await turn.comes();
    if (rejects.length > 0 && batch.lines.length > 0) await keepRejects(rejects);
    await this.#state.commit(batch, outcomes);
    return {
      stored: outcomes.filter((outcome) => outcome === 'stored').length,
      duplicates: outcomes.filter((outcome) => outcome === 'duplicate').length,
      rejected: rejects.length,
    };
  }

  async #outcomesOf(batch: Batch, turn: Turn): Promise<readonly Outcome[]> {
    const { first, last, lines } = batch;
    if (lines.length === 0) {
      return Array.from({ length: last - first + 1 }, (_, index) => ({
        sequence: first + index,
        reason: 'kept as a reject before',
      }));
    }
    try {
      const outcomes = await createDocuments(
        this.#client,
        this.#prefix,
        this.#bodies,
        this.#numericMapping,
        batch,
        turn,
      );
      if (outcomes.length === last - first + 1) return outcomes;
      throw new MetronomeError('bad-request', 'a batch has another number of lines than it says');
    } catch (error) {
      // The cluster may come back without its templates and indices.
      this.#prepared = undefined;
      this.#numericMapping = this.#newNumericMapping();
      throw error;
    }
  }

  async tallies(collector: string): Promise<readonly Tally[]> {
    await this.#prepare();
    await finishErasures(this.#client, this.#state);
    await finishExpiries(this.#client, this.#state, this.#countsKept);
    return this.#state.tallies(collector);
  }

  async query(query: Query): Promise<readonly Row[]> {
    checkQuery(query);
    await this.#prepare();
    return askWithOthers(query, (whole) => askAroundOddHours(whole, (part) => this.#query(part)));
  }

  async #query(query: Query): Promise<readonly Row[]> {
    const plan = await this.#rollups.plan(query);
    try {
      return await runQuery(this.#search, query, plan);
    } catch (error) {
      if (plan === undefined || !GONE.has(errorType(error))) throw error;
      // A day has expired, or somebody has closed or deleted something, since the plan was made.
      this.#rollups.forget();
      return runQuery(this.#search, query, await this.#rollups.plan(query));
    }
  }

  async isCountedAhead(query: Query, eventsMax: number): Promise<boolean> {
    checkQuery(query);
    await this.#prepare();
    return this.#rollups.isCountedAhead(query, eventsMax);
  }

  async countsFrom(query: Query): Promise<number> {
    checkQuery(query);
    await this.#prepare();
    return Math.max(await this.#rollups.countsFrom(query), await this.#state.countsFrom());
  }

  async *scan(scan: Scan): AsyncIterable<Row> {
    await this.#prepare();
    yield* runScan(this.#client, this.#prefix, this.#search, scan);
  }

  async explain(query: Query | Scan): Promise<string> {
    if (!('measures' in query)) return explainScan(query);
    checkQuery(query);
    const steps = stepsOf(query);
    const parts = steps
      .flatMap(partsAroundOddHours)
      .map(async (part) => explainQuery(`${this.#prefix}-*`, part, await this.#rollups.plan(part)));
    const searches = (await Promise.all(parts)).flat();
    return JSON.stringify(searches.length === 1 ? searches[0] : searches, null, 2);
  }

  async places(
    collector: string,
    ranges: readonly Omit<PlaceCount, 'stored'>[],
  ): Promise<readonly PlaceCount[]> {
    await this.refresh();
    return countPlaces(this.#client, this.#prefix, collector, ranges);
  }

  async erase(selection: Selection): Promise<number> {
    await this.refresh();
    await finishErasures(this.#client, this.#state);
    const erased = await eraseEvents(this.#client, this.#prefix, this.#state, selection);
    await this.#outlived.erase(selection);
    await this.refresh();
    return erased;
  }

  async expire(before: string, countsBefore: string = before): Promise<number> {
    await this.#prepare();
    await this.#state.noteCountsFrom(countsBefore);
    await this.#outlived.forget(countsBefore);
    const expired = await expireDays(this.#client, this.#prefix, this.#state, this.#countsKept, {
      before,
      countsBefore,
    });
    this.#rollups.forget();
    return expired;
  }

  async *export(selection: Selection): AsyncIterable<Record<string, unknown>> {
    await this.refresh();
    yield* exportEvents(this.#client, this.#prefix, selection);
  }

  salt(day: string, proposal: string): Promise<string> {
    return agreeSalt(this.#client, this.#prefix, day, proposal);
  }

  forgetSalts(before: string): Promise<void> {
    return forgetSalts(this.#client, this.#prefix, before);
  }

  async maintain(signal: AbortSignal): Promise<void> {
    await this.#prepare();
    await this.#upkeep.run(signal);
    this.#rollups.forget();
  }

  async rollups(): Promise<readonly RollupProgress[]> {
    await this.refresh();
    return this.#upkeep.progress();
  }

  async rebuildRollup(name: string): Promise<void> {
    await this.#prepare();
    await this.#upkeep.rebuild(name);
    this.#rollups.forget();
  }

  async refresh(): Promise<void> {
    await this.#prepare();
    await refresh(this.#client, `${this.#prefix}-*`);
    this.#rollups.forget();
  }

  async check(): Promise<void> {
    const health = await ask(() =>
      this.#client.cluster.health(
        {
          index: [`${this.#prefix}-*`, `${this.#prefix}_*`],
          wait_for_status: 'yellow',
          timeout: '2s',
        },
        { ignore: [408], requestTimeout: CHECK_TIMEOUT_MS, maxRetries: 0 },
      ),
    );
    if (health.status === 'red') {
      throw unavailable('has daily indices with shards that no node holds (status red)');
    }
    await this.#prepare();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #newNumericMapping(): NumericMapping {
    return new NumericMapping(this.#client, this.#options.numericKeys ?? []);
  }

  /** Once, and again after a failure: the template and the state's index must be there first. */
  #prepare(): Promise<void> {
    this.#prepared ??= this.#putDefinitions().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #putDefinitions(): Promise<void> {
    await putTemplate(this.#client, this.#prefix, this.#options);
    await this.#state.create();
  }
}

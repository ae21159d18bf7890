import { randomUUID } from 'node:crypto';
import type { Client } from '@elastic/elasticsearch';
import { MetronomeError } from '../../errors.ts';
import type { Range } from '../../query/query.ts';
import { ask, type ElasticsearchOptions, errorType, unavailable, refresh } from './connection.ts';
import { type Count, countEvents } from './count-events.ts';
import { type Index, indicesLike } from './daily-indices.ts';
import { checkNumericKeys } from './numeric-keys.ts';
import { DAY_MS, type Rollup, type Table, versionAt } from './rollup.ts';
import { rollupDefinition, rollupIndex, rollupTemplate } from './rollup-template.ts';
import { type Held, RollupVersions, type Version } from './rollup-versions.ts';
import { searchWith } from './searches.ts';
import { dayOfIndex } from './template.ts';

const EVER: Range = { from: 0, to: Date.UTC(9_999, 11, 31) };

/** Counts the events of an index for a rollup; see `rollups.ts`. */
export class RollupCounter {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #options: ElasticsearchOptions;
  readonly #versions: RollupVersions;
  readonly #now: () => number;

  constructor(client: Client, prefix: string, options: ElasticsearchOptions) {
    this.#client = client;
    this.#prefix = prefix;
    this.#options = options;
    this.#versions = new RollupVersions(client, prefix);
    this.#now = options.now ?? Date.now;
  }

  async putTemplate(): Promise<void> {
    await ask(() =>
      this.#client.indices.putIndexTemplate(rollupTemplate(this.#prefix, this.#options)),
    );
  }

  /**
   * Counts an index as it is; what is written meanwhile makes the count void. Asked before each
   * page, `mayGoOn` stops it.
   */
  async count(rollup: Rollup, index: Index, mayGoOn: () => Promise<boolean>): Promise<void> {
    const isFit = await this.#isFit(rollup, index.name);
    const held = await this.#begin(rollup, index, isFit ? 'counting' : 'unfit');
    if (!isFit) return;
    await refresh(this.#client, index.name);
    const range = await this.#write(rollup, held.value, mayGoOn);
    if (range === undefined) return;
    await refresh(this.#client, Object.values(held.value.at));
    const after = (await indicesLike(this.#client, [index.name])).get(index.name);
    const isSame = after?.uuid === index.uuid && after.print === index.print;
    if (isSame) await this.#versions.change(held, { status: 'whole', range, changed: this.#now() });
  }

  /** Not where events have more numeric keys than are kept, and the rollup needs one of them. */
  async #isFit({ tables: [table] }: Rollup, index: string): Promise<boolean> {
    const { values, filter } = table ?? {};
    if (values === undefined) return true;
    const search = searchWith(this.#client, index);
    try {
      await checkNumericKeys(search, { measures: values, ...(filter && { filter }), range: EVER });
      return true;
    } catch (error) {
      if (error instanceof MetronomeError && error.code === 'bad-request') return false;
      throw error;
    }
  }

  async #begin(
    { name: rollup, tables }: Rollup,
    { name, uuid, print = '' }: Index,
    status: 'counting' | 'unfit',
  ): Promise<Held<Version>> {
    const day = dayOfIndex(this.#prefix, name) ?? '';
    const places = [...Map.groupBy(tables, ({ place }) => place)];
    const at = places.map(([place]) => [place, rollupIndex(this.#prefix, place, day)] as const);
    const names = at.map(([, index]) => index);
    let made = await indicesLike(this.#client, names);
    for (const [place, of] of places) {
      const index = rollupIndex(this.#prefix, place, day);
      if (!made.has(index)) await this.#create(of, index);
    }
    if (made.size < names.length) made = await indicesLike(this.#client, names);
    return this.#versions.add({
      version: randomUUID(),
      rollup,
      status,
      index: name,
      uuid,
      print,
      range: { from: 0, to: 0 },
      at: Object.fromEntries(at),
      uuids: Object.fromEntries(at.map(([place, index]) => [place, made.get(index)?.uuid ?? ''])),
      changed: this.#now(),
    });
  }

  async #create(tables: readonly Table[], index: string): Promise<void> {
    try {
      await ask(() =>
        this.#client.indices.create({ index, ...rollupDefinition(this.#prefix, tables) }),
      );
    } catch (error) {
      if (errorType(error) !== 'resource_already_exists_exception') throw error;
    }
  }

  /** Returns the days of the events; undefined where it was stopped. */
  async #write(
    { tables }: Rollup,
    { index, version, at }: Version,
    mayGoOn: () => Promise<boolean>,
  ): Promise<Range | undefined> {
    let [from, to] = [Infinity, -Infinity];
    for (const table of tables) {
      for await (const page of countEvents(this.#client, index, table)) {
        if (!(await mayGoOn())) return undefined;
        const mark = { [versionAt(table)]: version };
        await this.#writePage(at[table.place] ?? '', mark, page);
        for (const { '@timestamp': start } of page) {
          const day = start - (start % DAY_MS);
          from = Math.min(from, day);
          to = Math.max(to, day + DAY_MS);
        }
      }
    }
    return from < to ? { from, to } : { from: 0, to: 0 };
  }

  async #writePage(index: string, mark: object, page: readonly Count[]): Promise<void> {
    const operations = page.flatMap((count) => [
      { create: { _index: index } },
      { ...count, ...mark },
    ]);
    const { errors: failed } = await ask(() =>
      this.#client.bulk({ operations, filter_path: ['errors'] }),
    );
    if (failed) throw unavailable('takes no counts for now');
  }
}

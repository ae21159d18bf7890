import type { Client } from '@elastic/elasticsearch';
import { MetronomeError } from '../../errors.ts';
import { ask, errorType } from './connection.ts';
import type { Document } from './documents.ts';
import { metricsMapping, NUMERIC_KEYS_MAX } from './template.ts';

/** Days whose keys are remembered. */
const INDICES_MAX = 100;

/**
 * Maps the application's numeric keys ahead of the documents, all new ones of an index at once.
 * Elasticsearch would do it by itself, but one document at a time, and a thousand changes of a
 * mapping take half a minute. From `NUMERIC_KEYS_MAX` on it notes the keys that it leaves out.
 */
export class NumericMapping {
  readonly #client: Client;
  readonly #declared: readonly string[];
  readonly #known = new Map<string, Set<string> | 'full'>();

  constructor(client: Client, declared: readonly string[]) {
    this.#client = client;
    this.#declared = declared;
  }

  async add(documents: readonly Document[]): Promise<void> {
    for (const [index, keys] of this.#newKeys(documents)) await this.#addTo(index, keys);
  }

  #newKeys(documents: readonly Document[]): ReadonlyMap<string, Set<string>> {
    const found = new Map<string, Set<string>>();
    for (const { index, numbers } of documents) {
      const known = this.#known.get(index);
      if (known === 'full') continue;
      for (const key of numbers) {
        if (known?.has(key)) continue;
        const keys = found.get(index) ?? new Set();
        found.set(index, keys.add(key));
      }
    }
    return found;
  }

  async #addTo(index: string, keys: ReadonlySet<string>): Promise<void> {
    const known = await this.#read(index);
    const fresh = [...keys].filter((key) => !known.has(key));
    const room = NUMERIC_KEYS_MAX + this.#declared.length - known.size;
    const added = fresh.slice(0, Math.max(0, room));
    if (added.length > 0) await this.#put(index, added);
    this.#remember(index, fresh.length > room ? 'full' : known.union(new Set(added)));
  }

  async #put(index: string, keys: readonly string[]): Promise<void> {
    try {
      await ask(() =>
        this.#client.indices.putMapping({ index, properties: { metrics: metricsMapping(keys) } }),
      );
    } catch (error) {
      // Another collector was first with other keys: Elasticsearch maps what still fits by itself.
      if (!(error instanceof MetronomeError && error.code === 'bad-request')) throw error;
    }
  }

  /** The mapped keys of an index, which is made if need be. */
  async #read(index: string): Promise<Set<string>> {
    try {
      await ask(() => this.#client.indices.create({ index }));
    } catch (error) {
      if (errorType(error) !== 'resource_already_exists_exception') throw error;
    }
    const found = await ask(() => this.#client.indices.getMapping({ index }));
    const metrics = found[index]?.mappings.properties?.['metrics'];
    return new Set(Object.keys((metrics && 'properties' in metrics && metrics.properties) || {}));
  }

  #remember(index: string, keys: Set<string> | 'full'): void {
    this.#known.delete(index);
    this.#known.set(index, keys);
    const [oldest] = this.#known.keys();
    if (this.#known.size > INDICES_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

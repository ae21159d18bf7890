import type { Client } from '@elastic/elasticsearch';
import type { Selection } from '../../event-store.ts';
import { FIELDS } from '../../event.ts';
import { type Clause, instants } from './compile.ts';
import { counts, DAY_MS, type Rollup, VERSION } from './rollup.ts';
import { deleteDocuments } from './rollup-deletion.ts';
import { RollupVersions, type Version } from './rollup-versions.ts';
import { RollupReader } from './rollups.ts';
import { dayOfIndex } from './template.ts';

/**
 * Counts of days whose indices are dropped. Whole indices of them go when the last of their days
 * is forgotten.
 */
export class OutlivedCounts {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #rollups: readonly Rollup[];
  readonly #versions: RollupVersions;

  constructor(client: Client, prefix: string, declared: readonly Rollup[]) {
    this.#client = client;
    this.#prefix = prefix;
    this.#rollups = [counts, ...declared];
    this.#versions = new RollupVersions(client, prefix);
  }

  /** Forgets the counts of the days before a UTC day (`2026-11-23`). */
  async forget(before: string): Promise<void> {
    for (const held of await this.#versions.all()) {
      const { status, index } = held.value;
      const day = dayOfIndex(this.#prefix, index) ?? before;
      if (status === 'outlived' && day < before) await this.#versions.remove(held);
    }
  }

  /** Takes an item out of the counts; the site's own, which know no item, stay as they are. */
  async erase(selection: Selection): Promise<void> {
    if (selection.item === undefined || selection.visitor !== undefined) return;
    const { whole } = await new RollupReader(this.#client, this.#prefix).read();
    const outlived = [...whole].filter(({ status }) => status === 'outlived');
    const places = Map.groupBy(
      outlived.flatMap((version) => Object.entries(version.at).map((at) => ({ version, at }))),
      ({ at: [, index] }) => index,
    );
    for (const [index, parts] of places) {
      const versions = parts.map(({ version }) => version);
      const stepMs = this.#stepOf(parts[0]?.at[0]);
      await deleteDocuments(this.#client, index, selected(selection, versions, stepMs));
    }
  }

  /** What another collector has declared is taken by days. */
  #stepOf(place: string | undefined): number {
    const known = this.#rollups.flatMap(({ tables }) => tables);
    return known.find((table) => table.place === place)?.stepMs ?? DAY_MS;
  }
}

/** Of a period its whole steps. */
function selected(
  { app, item, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: Selection,
  versions: readonly Version[],
  stepMs: number,
): Clause {
  const [first, end] = [Math.ceil(from / stepMs) * stepMs, Math.floor(to / stepMs) * stepMs];
  const time = Number.isFinite(first) || Number.isFinite(end);
  return {
    bool: {
      filter: [
        { terms: { [VERSION]: versions.map(({ version }) => version) } },
        { term: { [FIELDS.item.at]: item ?? '' } },
        ...(app === undefined ? [] : [{ term: { [FIELDS.app.at]: app } }]),
        ...(time ? [{ range: { '@timestamp': instants(first, end) } }] : []),
      ],
    },
  };
}

import type { Client } from '@elastic/elasticsearch';
import type { Clause } from './compile.ts';
import { ask, unavailable, refresh } from './connection.ts';
import { SITE_VERSION, VERSION } from './rollup.ts';
import type { RollupVersions } from './rollup-versions.ts';
import type { RollupsRead } from './rollups.ts';

const DELETED_AT_ONCE = 10_000;

/** Deletes the documents of a version in an index that holds others too. */
export function deleteVersion(client: Client, index: string, version: string): Promise<void> {
  const should = [VERSION, SITE_VERSION].map((at) => ({ term: { [at]: version } }));
  return deleteDocuments(client, index, { bool: { should } });
}

/** Not every cluster has delete-by-query. */
export async function deleteDocuments(client: Client, index: string, query: Clause): Promise<void> {
  for (;;) {
    await refresh(client, index);
    const found = await ask(() =>
      client.search({
        index,
        query,
        _source: false,
        size: DELETED_AT_ONCE,
        allow_partial_search_results: false,
      }),
    );
    if (found.timed_out) throw unavailable('took too long to answer');
    const ids = found.hits.hits.flatMap(({ _id }) => (_id === undefined ? [] : [_id]));
    if (ids.length === 0) return;
    const operations = ids.map((_id) => ({ delete: { _index: index, _id } }));
    const { errors: failed } = await ask(() => client.bulk({ operations }));
    if (failed) throw unavailable('deletes no counts for now');
  }
}

/**
 * Drops the indices of counts that no version is of. They are closed to writes before versions
 * are looked at for the last time: whoever adds one after that cannot write its counts, and
 * whoever has written some has added it before. What a crash has left closed is opened.
 */
export async function dropUnused(
  client: Client,
  prefix: string,
  versions: RollupVersions,
  read: RollupsRead,
): Promise<void> {
  const used = namesOf(read.versions.map(({ value }) => value));
  for (const { name, isBlocked } of read.indices.values()) {
    if (!name.startsWith(`${prefix}_rollup_`)) continue;
    if (used.has(name)) {
      if (isBlocked) await openToWrites(client, name);
      continue;
    }
    await ask(() => client.indices.addBlock({ index: name, block: 'write' }, { ignore: [404] }));
    const held = await versions.all();
    if (namesOf(held.map(({ value }) => value)).has(name)) await openToWrites(client, name);
    else await ask(() => client.indices.delete({ index: name }, { ignore: [404] }));
  }
}

function namesOf(all: readonly { readonly at: Readonly<Record<string, string>> }[]): Set<string> {
  return new Set(all.flatMap(({ at }) => Object.values(at)));
}

export async function openToWrites(client: Client, index: string): Promise<void> {
  await ask(() =>
    client.indices.putSettings(
      { index, settings: { 'index.blocks.write': false } },
      { ignore: [404] },
    ),
  );
}

import type { Client } from '@elastic/elasticsearch';
import { ask, errorType, unavailable } from './connection.ts';

/**
 * Each salt has an index of its own, because dropping an index destroys what was in it, while a
 * deleted document stays in its segment until a merge.
 */
const ID = 'salt';

function indexOf(prefix: string, day: string): string {
  return `${prefix}_salt_${day}`;
}

export async function agreeSalt(
  client: Client,
  prefix: string,
  day: string,
  proposal: string,
): Promise<string> {
  const at = { index: indexOf(prefix, day), id: ID };
  try {
    await ask(() => client.create({ ...at, document: { salt: proposal } }));
    return proposal;
  } catch (error) {
    if (errorType(error) !== 'version_conflict_engine_exception') throw error;
  }
  const { _source } = await ask(() => client.get<{ salt?: unknown }>(at));
  if (typeof _source?.salt !== 'string') throw unavailable(`holds no salt in ${at.index}`);
  return _source.salt;
}

export async function forgetSalts(client: Client, prefix: string, before: string): Promise<void> {
  const index = indexOf(prefix, '*');
  const known = await ask(() => client.indices.get({ index, allow_no_indices: true }));
  const old = Object.keys(known).filter((name) => name < indexOf(prefix, before));
  if (old.length > 0) await ask(() => client.indices.delete({ index: old }));
}

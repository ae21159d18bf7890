import type { Client, estypes } from '@elastic/elasticsearch';
import { ask } from './connection.ts';

/** An index as it is at a moment. */
export interface Index {
  readonly name: string;
  /** Elasticsearch's own name of it: one of the same name that is made later is another. */
  readonly uuid: string;
  /**
   * Changes with every write, for each operation on a shard has the next number. Undefined while
   * a shard is missing.
   */
  readonly print: string | undefined;
  /** Writes that it has ever had: no fewer than its events. Infinitely many while a shard is missing. */
  readonly writes: number;
  /** Every operation is on all copies that could take the place of a lost one. */
  readonly isSettled: boolean;
  /** Nothing can be written to it. */
  readonly isBlocked: boolean;
}

type Shard = Pick<estypes.IndicesStatsShardStats, 'routing' | 'seq_no'>;

/** The open indices of these names or patterns, by name. */
export async function indicesLike(
  client: Client,
  patterns: readonly string[],
): Promise<ReadonlyMap<string, Index>> {
  const index = [...patterns];
  const [settings, stats] = await Promise.all([
    ask(() =>
      client.indices.getSettings({
        index,
        name: ['index.uuid', 'index.number_of_shards', 'index.blocks.write'],
        expand_wildcards: 'open',
        allow_no_indices: true,
        ignore_unavailable: true,
      }),
    ),
    ask(() =>
      client.indices.stats(
        {
          index,
          metric: 'get',
          level: 'shards',
          expand_wildcards: 'open',
          filter_path: [
            'indices.*.uuid',
            'indices.*.shards.*.routing.primary',
            'indices.*.shards.*.seq_no',
          ],
        },
        // The client does not know it here.
        { querystring: { ignore_unavailable: true } },
      ),
    ),
  ]);
  return new Map(
    Object.entries(settings).map(([name, { settings: found }]) => {
      const { uuid = '', number_of_shards: count, blocks } = found?.index ?? {};
      const isBlocked = String(blocks?.write) === 'true';
      const known = stats.indices?.[name];
      const shards = known?.uuid === uuid ? (known.shards ?? {}) : {};
      return [name, { name, uuid, isBlocked, ...stateOf(shards, Number(count)) }];
    }),
  );
}

function stateOf(
  shards: Readonly<Record<string, readonly Shard[]>>,
  count: number,
): Pick<Index, 'print' | 'writes' | 'isSettled'> {
  const numbers = Array.from({ length: count }, (_, shard) => {
    const copies = shards[shard] ?? [];
    return copies.find(({ routing }) => routing?.primary)?.seq_no;
  });
  const all = numbers.flatMap((one) => (one ? [one] : []));
  if (all.length < count) {
    return { print: undefined, writes: Number.POSITIVE_INFINITY, isSettled: false };
  }
  return {
    print: all.map((one) => one.max_seq_no).join(' '),
    writes: all.reduce((sum, one) => sum + one.max_seq_no + 1, 0),
    isSettled: all.every((one) => one.global_checkpoint === one.max_seq_no),
  };
}

import type { estypes } from '@elastic/elasticsearch';
import { FIELDS } from '../../event.ts';
import type { ElasticsearchOptions } from './connection.ts';
import { SITE_VERSION, type Table, VERSION } from './rollup.ts';
import { indexTemplate, metricsMapping } from './template.ts';

/**
 * The index that holds the counts of a daily index's events: one for a month, so that an answer
 * about some weeks asks a shard or two. No pattern of the daily indices matches it.
 */
export function rollupIndex(prefix: string, place: string, day: string): string {
  return `${prefix}_rollup_${place}_${day.slice(0, 7)}`;
}

/** What all indices of counts have in common: only the columns of documents are kept. */
export function rollupTemplate(
  prefix: string,
  { replicas = 1 }: ElasticsearchOptions,
): estypes.IndicesPutIndexTemplateRequest {
  return {
    name: `${prefix}_rollup`,
    index_patterns: [`${prefix}_rollup_*`],
    priority: 500,
    _meta: { description: 'Counts of the events of Metronome, made anew from them at any time' },
    template: {
      settings: {
        number_of_shards: 1,
        number_of_replicas: replicas,
        // Counts become visible when they are whole.
        refresh_interval: -1,
      },
      mappings: {
        dynamic: false,
        _source: { enabled: false },
        properties: {
          '@timestamp': { type: 'date', index: false },
          [VERSION]: { type: 'keyword', index: false },
          [SITE_VERSION]: { type: 'keyword' },
        },
      },
    },
  };
}

/**
 * Counts are grouped and found as events are, by the same names; those of an item lie together.
 * They are found by their item, or as the site's; all else is looked up in the columns of those.
 */
export function rollupDefinition(
  prefix: string,
  tables: readonly Table[],
): Pick<estypes.IndicesCreateRequest, 'settings' | 'mappings'> {
  const { properties: events = {} } = indexTemplate(prefix, { nodes: [] }).template?.mappings ?? {};
  const fields = tables
    .flatMap(({ groups }) => groups)
    .flatMap(({ at }) => {
      const root = at.startsWith('labels.') ? 'labels' : at;
      const mapping = events[root];
      if (mapping === undefined) return [];
      const isFound = at === FIELDS.item.at || mapping.type === 'flattened';
      return [
        [root, isFound ? mapping : ({ ...mapping, index: false } as typeof mapping)] as const,
      ];
    });
  const values = tables.flatMap((table) => Object.keys(table.values ?? {}));
  return {
    settings: { sort: { field: [FIELDS.item.at] } },
    mappings: {
      properties: {
        ...Object.fromEntries(fields),
        ...(values.length > 0 && { metrics: metricsMapping(values) }),
      },
    },
  };
}

import type { estypes } from '@elastic/elasticsearch';
import { FIELDS } from '../../event.ts';
import type { ElasticsearchOptions } from './connection.ts';
import { COUNTS, type CountsName, countsNames, VERSION } from './rollup-plan.ts';
import { VALUE_UNITS_MAX } from './template.ts';

/**
 * The index that holds the counts of a daily index's events: one for a month, so that an answer
 * about some weeks asks a shard or two. No pattern of the daily indices matches it.
 */
export function rollupIndex(prefix: string, name: CountsName, day: string): string {
  return `${prefix}_rollup_${name}_${day.slice(0, 7)}`;
}

/**
 * Counts are grouped and found as events are, by the same names. Documents of an item lie beside
 * each other, and only their columns are kept.
 */
export function rollupTemplate(
  prefix: string,
  { replicas = 1 }: ElasticsearchOptions,
): estypes.IndicesPutIndexTemplateRequest {
  const fields = new Set(countsNames.flatMap((name) => [...COUNTS[name].fields]));
  const keyword = { type: 'keyword', ignore_above: VALUE_UNITS_MAX } as const;
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
        sort: { field: [FIELDS.item.at] },
      },
      mappings: {
        dynamic: false,
        _source: { enabled: false },
        properties: {
          '@timestamp': { type: 'date' },
          [VERSION]: { type: 'keyword', index: false },
          ...Object.fromEntries([...fields].map((field) => [FIELDS[field].at, keyword])),
        },
      },
    },
  };
}

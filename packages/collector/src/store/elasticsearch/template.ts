import type { Client, estypes } from '@elastic/elasticsearch';
import { FIELDS, type Field, type FieldName } from '../../event.ts';
import { ask, type ElasticsearchOptions } from './connection.ts';

/**
 * The index template of the daily indices. Raise the version with every change of it: a collector
 * replaces the templates of older versions and leaves newer ones alone.
 */
export const TEMPLATE_VERSION = 1;

/** Numeric keys of the application that an index maps by itself, beside the declared ones. */
export const NUMERIC_KEYS_MAX = 1_000;

/** Longer than any value that intake lets through; keeps an odd line from costing its event. */
export const VALUE_UNITS_MAX = 8_192;

/**
 * Long or unique texts, grouped and listed but hardly ever searched for: without an inverted
 * index. Elasticsearch answers filters on them from their columns, only slower.
 */
const COLUMN_ONLY: ReadonlySet<FieldName> = new Set([
  'id',
  'url',
  'title',
  'referrer',
  'file',
  'page',
  'message',
  'stack',
  'source',
  'received',
  'client_time',
  'line',
  'column',
  'segment',
  'sequence',
]);

const WHOLE: ReadonlySet<FieldName> = new Set(['segment', 'sequence']);

export function indexTemplate(
  prefix: string,
  options: ElasticsearchOptions,
): estypes.IndicesPutIndexTemplateRequest {
  const { shards = 1, replicas = 1, refreshInterval, numericKeys = [] } = options;
  const fields = fieldMappings();
  return {
    name: prefix,
    index_patterns: [`${prefix}-*`],
    priority: 500,
    version: TEMPLATE_VERSION,
    _meta: { description: 'Events of Metronome, one index a day' },
    template: {
      settings: {
        number_of_shards: shards,
        number_of_replicas: replicas,
        ...(refreshInterval === undefined ? {} : { refresh_interval: refreshInterval }),
        mapping: {
          total_fields: {
            limit: countFields(Object.keys(fields)) + numericKeys.length + NUMERIC_KEYS_MAX,
            ignore_dynamic_beyond_limit: true,
          },
        },
      },
      mappings: {
        dynamic: false,
        dynamic_templates: [
          { metrics: { path_match: 'metrics.*', match_mapping_type: '*', mapping: NUMBER } },
        ],
        properties: {
          ...fields,
          labels: { type: 'flattened', ignore_above: VALUE_UNITS_MAX },
          metrics: metricsMapping(numericKeys),
        },
      },
    },
  };
}

/** The application's numbers. Without subobjects, `a` and `a.b` can both be one. */
export function metricsMapping(keys: readonly string[]): estypes.MappingProperty {
  return {
    type: 'object',
    dynamic: true,
    subobjects: false,
    properties: Object.fromEntries(keys.map((key) => [key, NUMBER])),
  };
}

const NUMBER: estypes.MappingDoubleNumberProperty = { type: 'double', index: false };

const TEXT: estypes.MappingKeywordProperty = { type: 'keyword', ignore_above: VALUE_UNITS_MAX };

function fieldMappings(): Record<string, estypes.MappingProperty> {
  const known = Object.entries(FIELDS) as [FieldName, Field][];
  return {
    ...Object.fromEntries(known.map(([name, field]) => [field.at, fieldMapping(name, field)])),
    'error.message': { ...TEXT, index: false },
  };
}

function fieldMapping(name: FieldName, { type }: Field): estypes.MappingProperty {
  const index = COLUMN_ONLY.has(name) ? { index: false } : {};
  switch (type) {
    case 'keyword':
    // Only ever `true` or absent; as text, the absent can be counted under a name of their own.
    case 'boolean':
      return { ...TEXT, ...index };
    case 'number':
      return { type: WHOLE.has(name) ? 'long' : 'double', ...index };
    case 'time':
      return { type: 'date', ...index };
  }
}

/** As Elasticsearch counts: every field, every object on the way to it, `labels` and `metrics`. */
function countFields(paths: readonly string[]): number {
  const all = new Set(['labels', 'metrics']);
  for (const path of paths) {
    const parts = path.split('.');
    parts.forEach((_, index) => all.add(parts.slice(0, index + 1).join('.')));
  }
  return all.size;
}

/** Index of a UTC day, given as `YYYY.MM.DD`. */
export function indexOfDay(prefix: string, day: string): string {
  return `${prefix}-${day}`;
}

/** UTC day of an index as `YYYY-MM-DD`; undefined for one that is no day's. */
export function dayOfIndex(prefix: string, index: string): string | undefined {
  const day = index.slice(prefix.length + 1).replaceAll('.', '-');
  return /^\d{4}-\d\d-\d\d$/u.test(day) ? day : undefined;
}

/** Puts the template, unless the cluster has one of a newer version. */
export async function putTemplate(
  client: Client,
  prefix: string,
  options: ElasticsearchOptions,
): Promise<void> {
  const found = await ask(() =>
    client.indices.getIndexTemplate({ name: prefix }, { ignore: [404] }),
  );
  const version = found.index_templates?.[0]?.index_template.version ?? 0;
  if (version > TEMPLATE_VERSION) return;
  await ask(() => client.indices.putIndexTemplate(indexTemplate(prefix, options)));
}

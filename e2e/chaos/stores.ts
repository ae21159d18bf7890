import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Elasticsearch, startElasticsearch } from '../parts/elasticsearch.ts';
import type { Environment } from './verify.ts';

export const STORE_NAMES = ['duckdb', 'elasticsearch'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

/** A store of one run: its settings, and how nothing of it stays. */
export interface RunStore {
  readonly env: Environment;
  /** Whether the collector that was killed was handing a batch to the store. */
  tookBatch(dataDir: string): Promise<boolean>;
  remove(): Promise<void>;
}

/** Indices of a run's own in a cluster. */
export function indicesOn(url: string, replicas = 0): RunStore {
  const prefix = `chaos-${randomUUID().slice(0, 8)}`;
  const [first = url] = url.split(',');
  return {
    env: {
      METRONOME_STORE: 'elasticsearch',
      METRONOME_ELASTICSEARCH_URL: url,
      METRONOME_ELASTICSEARCH_PREFIX: prefix,
      METRONOME_ELASTICSEARCH_REPLICAS: String(replicas),
    },
    tookBatch: (dataDir) => isAhead(first, prefix, collectorOf(dataDir)),
    remove: () => removeIndices(first, prefix),
  };
}

export function duckdb(): RunStore {
  return {
    env: { METRONOME_STORE: 'duckdb' },
    // The file that DuckDB reads a batch from is there only meanwhile.
    tookBatch: (dataDir) => Promise.resolve(existsSync(join(dataDir, 'metronome.duckdb.incoming'))),
    remove: () => Promise.resolve(),
  };
}

/** Id of the journal in a data folder. */
function collectorOf(dataDir: string): string {
  const path = join(dataDir, 'journal', 'ledger');
  const [head = '{}'] = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const { collector = '' }: { collector?: string } = JSON.parse(head);
  return collector;
}

/** Whether there are documents that the journal's cursor has not passed. */
async function isAhead(url: string, prefix: string, collector: string): Promise<boolean> {
  const events = await search<EventsAnswer>(url, `${prefix}-*`, {
    size: 0,
    query: { term: { 'journal.collector': collector } },
    aggs: { last: { max: { field: 'journal.sequence' } } },
  });
  const tallies = await search<TalliesAnswer>(url, `${prefix}_state`, {
    size: 1,
    query: { bool: { filter: [{ term: { kind: 'tally' } }, { term: { collector } }] } },
    sort: [{ segment: 'desc' }],
  });
  const [newest] = tallies?.hits.hits.map(({ _source: tally }) => tally) ?? [];
  return (events?.aggregations?.last.value ?? 0) > (newest?.last ?? 0);
}

interface EventsAnswer {
  readonly aggregations?: { readonly last: { readonly value: number | null } };
}

interface TalliesAnswer {
  readonly hits: { readonly hits: readonly { readonly _source: { readonly last: number } }[] };
}

async function search<T>(url: string, index: string, body: object): Promise<T | undefined> {
  await fetch(`${url}/${index}/_refresh`, { method: 'POST' });
  const headers = { 'content-type': 'application/json' };
  const asked = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(`${url}/${index}/_search`, asked);
  return response.ok ? JSON.parse(await response.text()) : undefined;
}

async function removeIndices(url: string, prefix: string): Promise<void> {
  const listed = await fetch(`${url}/_cat/indices/${prefix}*?h=index&expand_wildcards=all`);
  const names = (await listed.text()).split('\n').filter((name) => name.startsWith(prefix));
  for (const name of names) await fetch(`${url}/${name}`, { method: 'DELETE' });
  const template = await fetch(`${url}/_index_template/${prefix}*`);
  const found: { index_templates?: readonly { name: string }[] } = await template.json();
  for (const { name } of found.index_templates ?? []) {
    await fetch(`${url}/_index_template/${name}`, { method: 'DELETE' });
  }
}

/** `METRONOME_ELASTICSEARCH_URL`, else a node of this process's own. */
export async function anElasticsearch(): Promise<Pick<Elasticsearch, 'url' | 'stop'>> {
  const url = process.env['METRONOME_ELASTICSEARCH_URL'];
  if (url !== undefined && url !== '') return { url, stop: () => Promise.resolve() };
  return startElasticsearch({ heapMb: 1024 });
}

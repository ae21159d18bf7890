import { readFileSync } from 'node:fs';
import { MetronomeError } from '../errors.ts';
import type { EventStore } from '../event-store.ts';
import type { DeclaredQuery } from '../query/declared.ts';
import type { Settings } from '../settings.ts';
import { openDuckdbStore } from './duckdb/store.ts';
import { ElasticsearchStore } from './elasticsearch/store.ts';

export interface Declared {
  /** The application's keys that must always be kept as numbers. */
  readonly numericKeys?: readonly string[];
  /** Its queries: some have rollups. */
  readonly queries?: Readonly<Record<string, DeclaredQuery>>;
  /** What is kept of queries that are not among them stays, and work that would touch it is refused. */
  readonly keepsUndeclared?: boolean;
}

/**
 * Opens the store that the settings name: the only place that asks which.
 *
 * @throws MetronomeError `config` when what it needs is not there; an unreachable cluster is no
 * error, the store answers `unavailable` until it is back.
 */
export function openStore(
  settings: Settings,
  { numericKeys = [], queries = {}, keepsUndeclared = false }: Declared = {},
): EventStore {
  switch (settings.METRONOME_STORE) {
    case 'duckdb':
      return openDuckdbStore({
        dataDir: settings.METRONOME_DATA_DIR,
        memoryMb: settings.METRONOME_DUCKDB_MEMORY_MB,
        threads: settings.METRONOME_DUCKDB_THREADS,
        queries,
        keepsUndeclared,
      });
    case 'elasticsearch':
      return new ElasticsearchStore({
        nodes: settings.METRONOME_ELASTICSEARCH_URL,
        prefix: settings.METRONOME_ELASTICSEARCH_PREFIX,
        shards: settings.METRONOME_ELASTICSEARCH_SHARDS,
        replicas: settings.METRONOME_ELASTICSEARCH_REPLICAS,
        apiKey: settings.METRONOME_ELASTICSEARCH_API_KEY,
        ca: readCa(settings.METRONOME_ELASTICSEARCH_CA),
        numericKeys,
        queries,
      });
  }
}

function readCa(path: string): string {
  if (path === '') return '';
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `METRONOME_ELASTICSEARCH_CA names ${path}, which cannot be read.`;
    throw new MetronomeError('config', message, { cause });
  }
}

import { cp } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { startElasticsearch } from '../../e2e/parts/elasticsearch.ts';
import { type Benchmark, number, quantile } from '../benchmark.ts';
import { itemOf } from '../events.ts';
import { fillJournal } from '../fill-journal.ts';
import { type BenchCollector, startBenchCollector } from '../servers.ts';

const DAYS = 30;
const DAY_MS = 86_400_000;
const REQUESTS = 300;
const WARM_UP_REQUESTS = 30;
const SITE_REQUESTS = 20;
const HEAP_MB = 4096;

interface Latencies {
  readonly itemMs: readonly number[];
  readonly siteMs: readonly number[];
  /** How long the events took to arrive in the store. */
  readonly deliveredMs: number;
}

export const tockLatency: Benchmark = {
  name: 'tock-latency',
  meaning:
    '`GET /tock/:id.json` of the last 30 days by HTTP at a million events of 30 days on each store; items drawn by popularity, one request after the other. And `GET /tock.json`, the whole site.',
  async run(context) {
    const filled = context.folder('duckdb');
    const now = Date.now();
    const events = context.options.stored;
    await fillJournal(filled, { events, from: now - (DAYS - 1) * DAY_MS, to: now });
    const copy = context.folder('elasticsearch');
    await cp(filled, copy, { recursive: true });
    context.log('the journal is filled');
    const duckdb = await measure(await startBenchCollector(filled), events);
    const elasticsearch = await onElasticsearch(copy, events);
    return {
      columns: ['', 'item p50 ms', 'item p95 ms', 'site p50 ms', 'site p95 ms'],
      rows: [row('DuckDB', duckdb), row('Elasticsearch', elasticsearch)],
      verdicts: [],
      data: { duckdb, elasticsearch },
    };
  },
};

async function onElasticsearch(dataDir: string, events: number): Promise<Latencies> {
  const elasticsearch = await startElasticsearch({ heapMb: HEAP_MB });
  try {
    const env = {
      METRONOME_STORE: 'elasticsearch',
      METRONOME_ELASTICSEARCH_URL: elasticsearch.url,
      METRONOME_ELASTICSEARCH_REPLICAS: '0',
    };
    return await measure(await startBenchCollector(dataDir, env), events);
  } finally {
    await elasticsearch.stop();
  }
}

async function measure(collector: BenchCollector, events: number): Promise<Latencies> {
  try {
    const deliveredMs = await collector.drained();
    const { stored } = await collector.counts();
    if (stored !== events) throw new Error(`${stored} events are stored of ${events}`);
    const agent = new Agent({ keepAlive: true });
    const tock = (n: number): Promise<number> =>
      timed(`${collector.url}/tock/${itemOf(n)}.json`, agent);
    const site = (): Promise<number> => timed(`${collector.url}/tock.json`, agent);
    await inSequence(WARM_UP_REQUESTS, (n) => tock(n + REQUESTS));
    const itemMs = await inSequence(REQUESTS, tock);
    const siteMs = await inSequence(SITE_REQUESTS, site);
    agent.destroy();
    return { itemMs, siteMs, deliveredMs };
  } finally {
    await collector.stop();
  }
}

async function inSequence(count: number, run: (n: number) => Promise<number>): Promise<number[]> {
  const results: number[] = [];
  for (let n = 0; n < count; n++) results.push(await run(n));
  return results;
}

/** Milliseconds until the whole answer is there. */
function timed(url: string, agent: Agent): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} is a ${response.statusCode}`));
      response.resume();
      response.on('end', () => resolve(performance.now() - start));
    });
    asked.on('error', reject);
  });
}

function row(name: string, { itemMs, siteMs }: Latencies): readonly string[] {
  const quantiles = [itemMs, siteMs].flatMap((values) => [
    quantile(values, 0.5),
    quantile(values, 0.95),
  ]);
  return [name, ...quantiles.map((value) => number(value, 1))];
}

import { join } from 'node:path';
import { Client, type estypes } from '@elastic/elasticsearch';
import { startElasticsearch } from '../../e2e/parts/elasticsearch.ts';
import { openDuckdbStore } from '../../packages/collector/src/store/duckdb/store.ts';
import { ElasticsearchStore } from '../../packages/collector/src/store/elasticsearch/store.ts';
import { number, quantile } from '../benchmark.ts';
import { startBenchCollector } from '../servers.ts';
import { DAY_MS, isoDay, itemAt, itemName, randomFrom, type Size } from './catalogue.ts';
import { fillDuckdb } from './fill-duckdb.ts';
import { type Section, verdict } from './report.ts';
import { reader, shownTimes, type Times, timesOf } from './timing.ts';

const HEAP_MB = 4096;
const BATCH_EVENTS = 20_000;
const TOCKS = 200;

export interface ElasticsearchBench {
  readonly root: string;
  readonly size: Size;
  /** Epoch ms of the UTC midnight at which the events end. */
  readonly until: number;
  readonly log: (line: string) => void;
}

/** The collector's answers beside plain aggregations over the same daily indices. */
export async function measureElasticsearch(bench: ElasticsearchBench): Promise<Section> {
  const { root, size, until } = bench;
  const elasticsearch = await startElasticsearch({ heapMb: HEAP_MB });
  const client = new Client({ node: elasticsearch.url });
  try {
    await fill(elasticsearch.url, bench);
    const atRest = async (index: readonly string[]): Promise<string> => {
      const { _all: all } = await client.indices.stats({ index: [...index], metric: 'store' });
      return number((all.primaries?.store?.size_in_bytes ?? 0) / size.events, 1);
    };
    const bytes = [await atRest(['metronome-*', 'metronome_*']), await atRest(['metronome-*'])];
    const plain = await plainTimes(client, size, until);
    const ours = await throughCollector(elasticsearch.url, join(root, 'collector'), size, until);
    const p95 = quantile(ours.tock, 0.95);
    return {
      title: `Elasticsearch at ${number(size.events)} events of ${size.days} days`,
      columns: ['p50 / p95, ms', 'Metronome', 'plain aggregations over the raw indices'],
      rows: [
        ['tock of 30 days, items by popularity', shownTimes(ours.tock), shownTimes(plain.tock)],
        ['tock of the most viewed item', shownTimes(ours.mostViewed), shownTimes(plain.mostViewed)],
        ['tock of the site, 30 days', shownTimes(ours.site), shownTimes(plain.site)],
        ['the same in Europe/Berlin', shownTimes(ours.berlin), ''],
        ['bytes at rest per event, with counts and without', ...bytes],
      ],
      verdicts: [verdict('Aim', 'tock p95 30 ms', `${number(p95, 1)} ms`, p95 <= 30)],
    };
  } finally {
    await client.close();
    await elasticsearch.stop();
  }
}

/** Events as DuckDB made them, appended as delivery does. */
async function fill(url: string, { root, size, until, log }: ElasticsearchBench): Promise<void> {
  const source = join(root, 'source');
  await fillDuckdb(source, size, until, log);
  const duckdb = openDuckdbStore({ dataDir: source });
  const store = new ElasticsearchStore({ nodes: [url], replicas: 0 });
  let lines: string[] = [];
  let next = 1;
  let sent: Promise<unknown> = Promise.resolve();
  /** Returns when the batch before is stored: the next is read while this one is. */
  const send = async (): Promise<void> => {
    await sent;
    if (lines.length === 0) return;
    const last = next + lines.length - 1;
    const batch = {
      collector: 'bench',
      segment: 1,
      first: next,
      last,
      lines: Buffer.from(lines.join('')),
    };
    sent = store.append(batch, () => Promise.resolve());
    if (last % 1_000_000 < BATCH_EVENTS) log(`${number(last)} events are sent`);
    [next, lines] = [last + 1, []];
  };
  for await (const event of duckdb.export({ app: 'default' })) {
    // Renumbered in the order in which they come.
    const place = { 'journal.segment': 1, 'journal.sequence': next + lines.length };
    lines.push(`${JSON.stringify({ ...event, ...place })}\n`);
    if (lines.length === BATCH_EVENTS) await send();
  }
  await send();
  await sent;
  await store.refresh();
  log('the events are sent, and are counted');
  await store.maintain(new AbortController().signal);
  log('the events are counted');
  await store.close();
  await duckdb.close();
}

interface Answers extends Tocks {
  readonly berlin: Times;
}

interface Tocks {
  readonly tock: Times;
  readonly mostViewed: Times;
  readonly site: Times;
}

async function throughCollector(
  url: string,
  dataDir: string,
  size: Size,
  until: number,
): Promise<Answers> {
  const collector = await startBenchCollector(dataDir, {
    METRONOME_STORE: 'elasticsearch',
    METRONOME_ELASTICSEARCH_URL: url,
    METRONOME_ELASTICSEARCH_REPLICAS: '0',
  });
  const { get, end } = reader(collector.url);
  const random = randomFrom(size.seed);
  const days = `?from=${isoDay(until - 30 * DAY_MS)}&to=${isoDay(until - DAY_MS)}`;
  try {
    await timesOf(40, () => get(`/tock/${itemAt(random(), size)}.json${days}`));
    return {
      tock: await timesOf(TOCKS, () => get(`/tock/${itemAt(random(), size)}.json${days}`)),
      mostViewed: await timesOf(20, () => get(`/tock/${itemName(1)}.json${days}`)),
      site: await timesOf(5, () => get(`/tock.json${days}`)),
      berlin: await timesOf(TOCKS, () =>
        get(`/tock/${itemAt(random(), size)}.json${days}&tz=Europe/Berlin`),
      ),
    };
  } finally {
    end();
    await collector.stop();
  }
}

/** One search with three aggregations, as somebody would write it. */
async function plainTimes(client: Client, size: Size, until: number): Promise<Tocks> {
  const random = randomFrom(size.seed);
  const ask = (item?: string): Promise<unknown> =>
    client.search({ index: 'metronome-*', size: 0, ...plainTock(until, item) });
  await timesOf(40, () => ask(itemAt(random(), size)));
  return {
    tock: await timesOf(TOCKS, () => ask(itemAt(random(), size))),
    mostViewed: await timesOf(20, () => ask(itemName(1))),
    site: await timesOf(5, () => ask()),
  };
}

function plainTock(until: number, item?: string): Pick<estypes.SearchRequest, 'query' | 'aggs'> {
  const range = { gte: until - 30 * DAY_MS, lt: until, format: 'epoch_millis' };
  return {
    query: {
      bool: {
        filter: [
          { term: { 'service.name': 'default' } },
          { range: { '@timestamp': range } },
          ...(item === undefined ? [] : [{ term: { item } }]),
        ],
        must_not: [{ term: { bot: true } }],
      },
    },
    aggs: {
      views: {
        filter: isEvent('view'),
        aggs: {
          days: { date_histogram: { field: '@timestamp', calendar_interval: 'day' } },
          referers: { terms: { field: 'referer', size: 100 } },
        },
      },
      downloads: {
        filter: isEvent('download'),
        aggs: { formats: { terms: { field: 'file.extension', size: 100 } } },
      },
    },
  };
}

function isEvent(event: string) {
  return { term: { 'event.action': event } };
}

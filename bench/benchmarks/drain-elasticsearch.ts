import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@elastic/elasticsearch';
import { pino } from 'pino';
import { startElasticsearch } from '../../e2e/parts/elasticsearch.ts';
import { systemClock } from '../../packages/collector/src/clock.ts';
import { Delivery } from '../../packages/collector/src/delivery/delivery.ts';
import { RejectLog } from '../../packages/collector/src/delivery/reject-log.ts';
import type { Consumer } from '../../packages/collector/src/journal/consumer.ts';
import type { Journal } from '../../packages/collector/src/journal/journal.ts';
import { nodeDisk } from '../../packages/collector/src/journal/node-disk.ts';
import { bulksOf } from '../../packages/collector/src/store/elasticsearch/documents.ts';
import { ElasticsearchStore } from '../../packages/collector/src/store/elasticsearch/store.ts';
import { putTemplate } from '../../packages/collector/src/store/elasticsearch/template.ts';
import {
  type Benchmark,
  type Context,
  inTurn,
  number,
  type Result,
  shown,
  spread,
} from '../benchmark.ts';
import { fillJournal, openBenchJournal } from '../fill-journal.ts';
import { pacedLoad } from '../load-process.ts';
import { startBenchCollector } from '../servers.ts';

const HEAP_MB = 4096;
const DAY_MS = 86_400_000;
const POLL_MS = 5;
/** As many as the collector's own store has under way. */
const BULKS_AT_ONCE = 2;
const DIRECT_PREFIX = 'direct';
const INTAKE_RATE = 10_000;
const INTAKE_SECONDS = 10;

interface Leg {
  readonly documents: number;
  readonly perSecond: number;
  /** Processor time of this process for one document, in µs: what Elasticsearch cannot have. */
  readonly processorUs: number;
}

interface Bench {
  readonly journal: Journal;
  readonly dataDir: string;
  readonly url: string;
  readonly client: Client;
}

export const drainElasticsearch: Benchmark = {
  name: 'drain-elasticsearch',
  meaning:
    "An already written journal drained into Elasticsearch by the collector's delivery, beside the client's own bulk of the same documents: serialised before, with the same ids, in the same requests, into an index of the same template. The journal goes in parts, each first by the one and then by the other. Its last part is drained by a whole collector that takes 10,000 events/s meanwhile.",
  async run(context) {
    const { events, pairs } = context.options;
    const dataDir = context.folder('collector');
    const yesterday = Math.floor(Date.now() / DAY_MS - 1) * DAY_MS;
    await fillJournal(dataDir, { events, from: yesterday, to: yesterday + DAY_MS - 1 });
    context.log('the journal is filled');
    const elasticsearch = await startElasticsearch({ heapMb: HEAP_MB });
    const client = new Client({ node: elasticsearch.url });
    try {
      const journal = await openBenchJournal(dataDir, systemClock);
      const bench = { journal, dataDir, url: elasticsearch.url, client };
      const legs = await measure(bench, context, Math.floor(events / (pairs + 2)));
      await journal.close();
      const intake = await withIntake(bench);
      return resultOf(legs, intake);
    } finally {
      await client.close();
      await elasticsearch.stop();
    }
  },
};

async function measure(
  { journal, dataDir, url, client }: Bench,
  { options, log }: Context,
  part: number,
): Promise<readonly (readonly [Leg, Leg])[]> {
  const rejects = new RejectLog({
    folder: `${dataDir}/rejects`,
    disk: nodeDisk,
    clock: systemClock,
  });
  const store = new ElasticsearchStore({ nodes: [url], replicas: 0 });
  const reader = journal.consumer('direct');
  await putTemplate(client, DIRECT_PREFIX, { nodes: [url], replicas: 0 });
  await client.indices.create({ index: 'direct-warm-up' });
  let next = 1;
  const ours = async (): Promise<Leg> => {
    const delivery = new Delivery({
      journal,
      store,
      rejects,
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'warn' }),
    });
    const leg = await timed(async () => {
      delivery.start();
      while (delivery.status.stored < part) await delay(POLL_MS);
      await delivery.stop();
      return delivery.status.stored;
    });
    log(`delivery ${number(leg.perSecond)} documents/s`);
    await settled(client);
    return leg;
  };
  const direct = async (): Promise<Leg> => {
    const last = await store.cursor(journal.collector);
    const bulks = await read(reader, next, last - 1);
    next = last;
    const leg = await timed(() => sendAll(client, bulks));
    log(`direct   ${number(leg.perSecond)} documents/s`);
    await settled(client);
    return leg;
  };
  const legs = await inTurn(options.pairs, ours, direct);
  await store.close();
  return legs;
}

async function timed(run: () => Promise<number>): Promise<Leg> {
  const start = performance.now();
  const before = process.cpuUsage();
  const documents = await run();
  const { user, system } = process.cpuUsage(before);
  return {
    documents,
    perSecond: (documents / (performance.now() - start)) * 1000,
    processorUs: (user + system) / documents,
  };
}

/** What one side has put off must not cost the other. */
async function settled(client: Client): Promise<void> {
  await client.indices.flush({ index: '*' });
  for (;;) {
    const { _all: all } = await client.indices.stats({ metric: 'merge' });
    if ((all.total?.merges?.current ?? 0) === 0) return;
    await delay(100);
  }
}

interface Bulk {
  readonly documents: number;
  readonly body: Buffer;
}

/** The documents from one sequence to another as bodies of bulk requests. */
async function read(reader: Consumer, from: number, to: number): Promise<readonly Bulk[]> {
  await reader.seek(from);
  const bulks: Bulk[] = [];
  for (let at = from; at <= to;) {
    const limits = { eventsMax: Math.min(50_000, to - at + 1), bytesMax: 32 * 1024 * 1024 };
    const batch = await reader.read(limits);
    if (batch === undefined) throw new Error('The journal ends early');
    // The journal reads the next batch into the same bytes.
    const kept = { ...batch, lines: Buffer.from(batch.lines) };
    for (const documents of bulksOf(kept, DIRECT_PREFIX, () => {})) {
      const body = documents.flatMap(({ index, id, line }) => [
        Buffer.from(`{"create":{"_index":"${index}","_id":"${id}"}}\n`),
        line,
      ]);
      bulks.push({ documents: documents.length, body: Buffer.concat(body) });
    }
    at = batch.last + 1;
  }
  return bulks;
}

async function sendAll(client: Client, bulks: readonly Bulk[]): Promise<number> {
  const rest = bulks.values();
  let documents = 0;
  const worker = async (): Promise<void> => {
    for (const bulk of rest) {
      const { errors } = await client.transport.request<{ errors: boolean }>({
        method: 'POST',
        path: '/_bulk',
        querystring: { filter_path: 'errors' },
        bulkBody: bulk.body,
      });
      if (errors) throw new Error('A document was not taken');
      documents += bulk.documents;
    }
  };
  await Promise.all(Array.from({ length: BULKS_AT_ONCE }, worker));
  return documents;
}

interface WithIntake {
  readonly drainedPerSecond: number;
  readonly acknowledgedPerSecond: number;
  readonly p99Ms: number;
}

/** Drains the rest of the journal by a whole collector under load. */
async function withIntake({ dataDir, url }: Bench): Promise<WithIntake> {
  const collector = await startBenchCollector(dataDir, {
    METRONOME_STORE: 'elasticsearch',
    METRONOME_ELASTICSEARCH_URL: url,
    METRONOME_ELASTICSEARCH_REPLICAS: '0',
  });
  try {
    const before = await collector.counts();
    const start = performance.now();
    const events = INTAKE_RATE * INTAKE_SECONDS;
    const load = { url: collector.url, kind: 'batch', rate: INTAKE_RATE, events } as const;
    const said = await pacedLoad(load);
    const after = await collector.counts();
    const seconds = (performance.now() - start) / 1000;
    if (after.waiting === 0) throw new Error('The journal was too short: raise --events');
    return {
      drainedPerSecond: (after.stored - before.stored) / seconds,
      acknowledgedPerSecond: said.acknowledged / said.seconds,
      p99Ms: said.p99Ms,
    };
  } finally {
    await collector.stop();
  }
}

function resultOf(legs: readonly (readonly [Leg, Leg])[], intake: WithIntake): Result {
  const ratios = legs.map(([ours, direct]) => ours.perSecond / direct.perSecond);
  const { median } = spread(ratios);
  const total = legs.reduce((sum, [ours]) => sum + ours.documents, 0);
  return {
    columns: ['', 'documents/s', 'processor µs/document'],
    rows: [
      [`delivery, ${number(total)} documents`, ...figures(legs.map(([ours]) => ours))],
      ["client's bulk, the same documents", ...figures(legs.map(([, direct]) => direct))],
      ['ratio', shown(ratios, 2), ''],
      [
        `delivery while ${number(intake.acknowledgedPerSecond)} events/s are taken (p99 ${number(intake.p99Ms)} ms)`,
        number(intake.drainedPerSecond),
        '',
      ],
    ],
    verdicts: [
      {
        kind: 'must',
        says: '0.9 of the direct bulk, with no intake',
        measured: number(median, 2),
        met: median >= 0.9,
      },
    ],
    data: { legs, ratios, intake },
  };
}

function figures(legs: readonly Leg[]): readonly string[] {
  return [
    shown(legs.map(({ perSecond }) => perSecond)),
    shown(
      legs.map(({ processorUs }) => processorUs),
      1,
    ),
  ];
}

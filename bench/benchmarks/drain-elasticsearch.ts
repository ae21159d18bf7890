import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@elastic/elasticsearch';
import { pino } from 'pino';
import { startElasticsearch } from '../../e2e/parts/elasticsearch.ts';
import { systemClock } from '../../packages/collector/src/clock.ts';
import { Delivery } from '../../packages/collector/src/delivery/delivery.ts';
import { RejectLog } from '../../packages/collector/src/delivery/reject-log.ts';
import type { Consumer, JournalBatch } from '../../packages/collector/src/journal/consumer.ts';
import type { Journal } from '../../packages/collector/src/journal/journal.ts';
import { nodeDisk } from '../../packages/collector/src/journal/node-disk.ts';
import { Bodies } from '../../packages/collector/src/store/elasticsearch/bodies.ts';
import {
  bulksOf,
  type Document,
} from '../../packages/collector/src/store/elasticsearch/documents.ts';
import { ElasticsearchStore } from '../../packages/collector/src/store/elasticsearch/store.ts';
import { putTemplate } from '../../packages/collector/src/store/elasticsearch/template.ts';
import { type Benchmark, type Context, number, type Result, shown, spread } from '../benchmark.ts';
import { fillJournal, openBenchJournal } from '../fill-journal.ts';
import { pacedLoad } from '../load-process.ts';
import { startBenchCollector } from '../servers.ts';

const HEAP_MB = 4096;
const DAY_MS = 86_400_000;
const POLL_MS = 5;
/** As many as the collector's own store has under way. */
const BULKS_AT_ONCE = 2;
const CLIENT_PREFIX = 'client';
const LIMIT_PREFIX = 'limit';
const INTAKE_RATE = 10_000;
const INTAKE_SECONDS = 10;

interface Leg {
  readonly documents: number;
  readonly perSecond: number;
  /** Processor time of this process for one document, in µs: what Elasticsearch cannot have. */
  readonly processorUs: number;
}

/** The same part of the journal in each way. */
interface Round {
  readonly delivery: Leg;
  readonly client: Leg;
  readonly limit: Leg;
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
    "An already written journal drained into Elasticsearch by the collector's delivery, beside two ways to send the same documents under the same ids, as many in a request and as many requests at once, into an index of the same template. `client.bulk` is what an application writes that has them as objects in memory: it only serialises and sends them. The limit sends bodies that were made before, which nobody has: what Elasticsearch takes when the sender costs nothing. The journal goes in parts, each by the three in turn. Its last part is drained by a whole collector that takes 10,000 events/s meanwhile.",
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
      const rounds = await measure(bench, context, Math.floor(events / (pairs + 2)));
      await journal.close();
      const intake = await withIntake(bench);
      return resultOf(rounds, intake);
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
): Promise<readonly Round[]> {
  const rejects = new RejectLog({
    folder: `${dataDir}/rejects`,
    disk: nodeDisk,
    clock: systemClock,
  });
  const store = new ElasticsearchStore({ nodes: [url], replicas: 0 });
  const reader = journal.consumer('direct');
  for (const prefix of [CLIENT_PREFIX, LIMIT_PREFIX]) {
    await putTemplate(client, prefix, { nodes: [url], replicas: 0 });
    await client.indices.create({ index: `${prefix}-warm-up` });
  }
  const drain = async (): Promise<number> => {
    const delivery = new Delivery({
      journal,
      store,
      rejects,
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'warn' }),
    });
    delivery.start();
    while (delivery.status.stored < part) await delay(POLL_MS);
    await delivery.stop();
    return delivery.status.stored;
  };
  const measured = async (name: string, run: () => Promise<number>): Promise<Leg> => {
    const leg = await timed(run);
    log(`${name} ${number(leg.perSecond)} documents/s`);
    await settled(client);
    return leg;
  };
  const rounds: Round[] = [];
  let next = 1;
  for (let round = 0; round < options.pairs; round++) {
    const delivery = await measured('delivery', drain);
    const last = await store.cursor(journal.collector);
    const sends = await read(reader, next, last - 1, CLIENT_PREFIX, withClient(client));
    const byClient = await measured('client', () => sendAll(sends));
    const bodies = await read(reader, next, last - 1, LIMIT_PREFIX, serialised(client));
    const limit = await measured('limit', () => sendAll(bodies));
    rounds.push({ delivery, client: byClient, limit });
    next = last;
  }
  await store.close();
  return rounds;
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

/** Sends some documents, and gives their number. */
type Send = () => Promise<number>;

type Prepare = (batch: JournalBatch, documents: readonly Document[]) => Send;

/** The documents from one sequence to another, ready to be sent. */
async function read(
  reader: Consumer,
  from: number,
  to: number,
  prefix: string,
  prepare: Prepare,
): Promise<Send[]> {
  await reader.seek(from);
  const sends: Send[] = [];
  for (let at = from; at <= to;) {
    const limits = { eventsMax: Math.min(50_000, to - at + 1), bytesMax: 32 * 1024 * 1024 };
    const batch = await reader.read(limits);
    if (batch === undefined) throw new Error('The journal ends early');
    for (const documents of bulksOf(batch, prefix, () => {})) {
      sends.push(prepare(batch, documents));
    }
    at = batch.last + 1;
  }
  return sends;
}

function withClient(client: Client): Prepare {
  return ({ lines }, documents) => {
    const operations = documents.flatMap(({ index, id, start, end }) => [
      { create: { _index: index, _id: id } },
      JSON.parse(lines.toString('utf8', start, end)) as object,
    ]);
    return async () => {
      const { errors } = await client.bulk({ operations });
      if (errors) throw new Error('A document was not taken');
      return documents.length;
    };
  };
}

function serialised(client: Client): Prepare {
  return ({ lines }, documents) => {
    const bulkBody = new Bodies().of(lines, documents);
    return async () => {
      const { errors } = await client.transport.request<{ errors: boolean }>({
        method: 'POST',
        path: '/_bulk',
        querystring: { filter_path: 'errors' },
        bulkBody,
      });
      if (errors) throw new Error('A document was not taken');
      return documents.length;
    };
  };
}

async function sendAll(sends: readonly Send[]): Promise<number> {
  const rest = sends.values();
  let documents = 0;
  const worker = async (): Promise<void> => {
    for (const send of rest) documents += await send();
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

function resultOf(rounds: readonly Round[], intake: WithIntake): Result {
  const legsOf = (name: keyof Round): readonly Leg[] => rounds.map((round) => round[name]);
  const ratiosTo = (name: keyof Round): readonly number[] =>
    rounds.map((round) => round.delivery.perSecond / round[name].perSecond);
  const toClient = ratiosTo('client');
  const toLimit = ratiosTo('limit');
  const { median } = spread(toClient);
  const total = legsOf('delivery').reduce((sum, { documents }) => sum + documents, 0);
  return {
    columns: ['', 'documents/s', 'processor µs/document'],
    rows: [
      [`delivery, ${number(total)} documents`, ...figures(legsOf('delivery'))],
      ['`client.bulk` of the same, as objects', ...figures(legsOf('client'))],
      ['limit: the same, serialised before', ...figures(legsOf('limit'))],
      ['delivery / `client.bulk`', shown(toClient, 2), ''],
      ['delivery / limit', shown(toLimit, 2), ''],
      [
        `delivery while ${number(intake.acknowledgedPerSecond)} events/s are taken (p99 ${number(intake.p99Ms)} ms)`,
        number(intake.drainedPerSecond),
        '',
      ],
    ],
    verdicts: [
      {
        kind: 'must',
        says: "0.9 of the client's direct bulk, with no intake",
        measured: `${number(median, 2)} (${number(spread(toLimit).median, 2)} of the limit)`,
        met: median >= 0.9,
      },
    ],
    data: { rounds, toClient, toLimit, intake },
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

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { number, quantile } from '../benchmark.ts';
import { pacedLoad } from '../load-process.ts';
import { processorMs, watchMemory } from '../process-usage.ts';
import { startBenchCollector } from '../servers.ts';
import { openDuckdbStore } from '../../packages/collector/src/store/duckdb/store.ts';
import { DAY_MS, isoDay, itemAt, itemName, randomFrom, type Size } from './catalogue.ts';
import { fillDuckdb } from './fill-duckdb.ts';
import {
  bytesByRegionSql,
  errorsSql,
  inDuckdb,
  type Scope,
  tockSql,
  topItemsSql,
} from './plain-sql.ts';
import { type Section, verdict } from './report.ts';
import { fillSqlite, sqliteTimes } from './sqlite.ts';
import { reader, shownTimes, type Times, timesOf } from './timing.ts';

export interface DuckdbBench {
  readonly root: string;
  /** A folder that is filled once and stays; empty: one of the run. */
  readonly kept: string;
  readonly large: Size;
  readonly small: Size;
  readonly sqliteEvents: number;
  /** Epoch ms of the UTC midnight at which the events end. */
  readonly until: number;
  readonly log: (line: string) => void;
}

const CONFIG = fileURLToPath(new URL('metronome.config.json', import.meta.url));
/** Tocks are measured in rounds, so that what else the machine does meets all sides alike. */
const ROUNDS = 5;
const TOCKS = 80;
const PLAIN = 10;
const INTAKE_RATE = 20_000;
const INTAKE_SECONDS = 60;

export async function measureDuckdb(bench: DuckdbBench): Promise<Section> {
  const { root, kept, large, small, until, log } = bench;
  const folder = kept === '' ? join(root, 'large') : kept;
  const filled = await filledStore(folder, large, until, log);
  const smallFolder = join(root, 'small');
  await filledStore(smallFolder, small, until, log);
  const tocks = await tocksOf({ folder, size: large }, { folder: smallFolder, size: small }, until);
  for (const [name, { times }] of Object.entries(tocks)) log(`tock, ${name}: ${shownTimes(times)}`);
  const ofSmall = await throughCollector(smallFolder, small, until);
  const ours = await throughCollector(folder, large, until);
  const plain = await plainTimes(folder, large, until);
  const sqlite = await inSqliteToo(bench, folder);
  const busy = await whileTakingIn(folder, large, until);
  return sectionOf(bench, { filled, tocks, ofSmall, ours, plain, sqlite, busy });
}

interface Filled {
  readonly filledS: number;
  readonly countedS: number;
  readonly bytes: number;
}

/** Makes the events and the rollups, unless they are there. */
async function filledStore(
  dataDir: string,
  size: Size,
  to: number,
  log: (line: string) => void,
): Promise<Filled> {
  const file = join(dataDir, 'metronome.duckdb');
  const start = performance.now();
  if (!existsSync(file)) await fillDuckdb(dataDir, size, to, log);
  const filledS = (performance.now() - start) / 1000;
  const store = openDuckdbStore({ dataDir });
  const begun = performance.now();
  await store.maintain(new AbortController().signal);
  const countedS = (performance.now() - begun) / 1000;
  await store.close();
  log(
    `${number(size.events)} events filled in ${number(filledS)} s, counted in ${number(countedS)} s`,
  );
  return { filledS, countedS, bytes: statSync(file).size };
}

interface Store {
  readonly folder: string;
  readonly size: Size;
}

/** Tocks of items by popularity, of 30 days. */
interface Tocks {
  readonly large: Tock;
  readonly small: Tock;
  readonly plain: Tock;
}

interface Tock {
  readonly times: Times;
  /** Of one of them: unlike its time, not of what else the machine does. */
  readonly processorMs: number;
}

/** In each round the two collectors are asked in turn, then plain SQL, for the same items. */
async function tocksOf(large: Store, small: Store, until: number): Promise<Tocks> {
  const rounds: Tocks[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const seed = large.size.seed * ROUNDS + round;
    const ours = await oneByTurns([large, small], until, randomFrom(seed));
    const [ofLarge = NO_TOCK, ofSmall = NO_TOCK] = ours;
    const plain = await plainTocks(large, until, randomFrom(seed));
    rounds.push({ large: ofLarge, small: ofSmall, plain });
  }
  const all = (name: keyof Tocks): Tock => ({
    times: rounds.flatMap((round) => round[name].times),
    processorMs: rounds.reduce((sum, round) => sum + round[name].processorMs, 0) / ROUNDS,
  });
  return { large: all('large'), small: all('small'), plain: all('plain') };
}

const NO_TOCK: Tock = { times: [], processorMs: Number.NaN };

async function oneByTurns(
  stores: readonly Store[],
  until: number,
  random: () => number,
): Promise<readonly Tock[]> {
  const period = `from=${isoDay(until - 30 * DAY_MS)}&to=${isoDay(until - DAY_MS)}`;
  const running = await Promise.all(
    stores.map(async ({ folder, size }) => {
      const collector = await startBenchCollector(folder, { METRONOME_CONFIG: CONFIG });
      return { collector, size, times: [] as number[], ...reader(collector.url) };
    }),
  );
  const ask = async (): Promise<void> => {
    const at = random();
    for (const { times, size, get } of running) {
      times.push(...(await timesOf(1, () => get(`/tock/${itemAt(at, size)}.json?${period}`))));
    }
  };
  try {
    await timesOf(60, ask);
    const before = running.map(({ collector }) => processorMs(collector.pid));
    await timesOf(TOCKS, ask);
    return running.map(({ collector, times }, index) => ({
      times: times.slice(-TOCKS),
      processorMs: (processorMs(collector.pid) - (before[index] ?? 0)) / TOCKS,
    }));
  } finally {
    for (const { collector, end } of running) {
      end();
      await collector.stop();
    }
  }
}

interface Answers {
  readonly mostViewed: Times;
  readonly site: Times;
  readonly topItems: Times;
  readonly errors: Times;
  readonly declared: Times;
}

interface OurAnswers extends Answers {
  readonly berlin: Times;
  readonly flow: Times;
  readonly recommendations: Times;
  readonly memoryMb: number;
}

/** By HTTP, of a collector as in production, with the settings that it has by default. */
async function throughCollector(dataDir: string, size: Size, until: number): Promise<OurAnswers> {
  const collector = await startBenchCollector(dataDir, { METRONOME_CONFIG: CONFIG });
  const { get, end } = reader(collector.url);
  const random = randomFrom(size.seed);
  const drawn = (): string => itemAt(random(), size);
  const days = (count: number): string =>
    `from=${isoDay(until - count * DAY_MS)}&to=${isoDay(until - DAY_MS)}`;
  const ask = (path: string): Promise<string> =>
    get(`${path}${path.includes('?') ? '&' : '?'}${days(30)}`);
  try {
    await timesOf(60, () => ask(`/tock/${drawn()}.json`));
    const memory = watchMemory(collector.pid);
    const answers = {
      berlin: await timesOf(TOCKS, () => ask(`/tock/${drawn()}.json?tz=Europe/Berlin`)),
      mostViewed: await timesOf(30, () => ask(`/tock/${itemName(1)}.json`)),
      site: await timesOf(20, () => get(`/tock.json?${days(90)}`)),
      topItems: await timesOf(20, () => get(`/items.json?${days(90)}`)),
      flow: await timesOf(40, () => ask(`/tock/${drawn()}/flow.json`)),
      errors: await timesOf(40, () => ask(`/tock/${drawn()}/errors.json`)),
      recommendations: await timesOf(40, () => ask(`/tock/${drawn()}/recommendations.json`)),
      declared: await timesOf(5, () => ask('/query/bytes-by-region.json')),
    };
    return { ...answers, memoryMb: quantile(memory.stop(), 1) };
  } finally {
    end();
    await collector.stop();
  }
}

/** Plain SQL over the raw events, with all memory and both cores. */
async function inPlainSql<T>(
  { folder }: Pick<Store, 'folder'>,
  work: (run: (...statements: readonly string[]) => Promise<void>) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(join(folder, 'metronome.duckdb'), {
    access_mode: 'READ_ONLY',
  });
  const connection = await instance.connect();
  try {
    return await work(async (...statements) => {
      for (const sql of statements) await (await connection.run(sql)).getRows();
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function plainTocks(store: Store, until: number, random: () => number): Promise<Tock> {
  return inPlainSql(store, async (run) => {
    const scope = { from: until - 30 * DAY_MS, to: until };
    const tock = (): Promise<void> =>
      run(...tockSql(inDuckdb, { ...scope, item: itemAt(random(), store.size) }));
    await timesOf(3, tock);
    const before = process.cpuUsage();
    const times = await timesOf(PLAIN, tock);
    const { user, system } = process.cpuUsage(before);
    return { times, processorMs: (user + system) / 1000 / PLAIN };
  });
}

/** The same questions in plain SQL. */
function plainTimes(folder: string, size: Size, until: number): Promise<Answers> {
  const random = randomFrom(size.seed);
  const days = (count: number): Scope => ({ from: until - count * DAY_MS, to: until });
  return inPlainSql({ folder }, async (run) => {
    const tock = (item?: string, count = 30): Promise<void> =>
      run(...tockSql(inDuckdb, { ...days(count), ...(item !== undefined && { item }) }));
    await timesOf(3, () => tock(itemAt(random(), size)));
    return {
      mostViewed: await timesOf(5, () => tock(itemName(1))),
      site: await timesOf(5, () => tock(undefined, 90)),
      topItems: await timesOf(5, () => run(topItemsSql(inDuckdb, days(90)))),
      errors: await timesOf(5, () => run(errorsSql({ ...days(30), item: itemAt(random(), size) }))),
      declared: await timesOf(5, () => run(bytesByRegionSql(days(30)))),
    };
  });
}

interface Sqlite {
  readonly tock: Times;
  readonly mostViewed: Times;
  readonly site: Times;
  readonly bytes: number;
}

async function inSqliteToo(bench: DuckdbBench, folder: string): Promise<Sqlite | undefined> {
  const { root, large, sqliteEvents, until, log } = bench;
  if (sqliteEvents === 0) return undefined;
  const file = join(root, 'events.sqlite');
  await fillSqlite(file, join(folder, 'metronome.duckdb'), Math.ceil(large.events / sqliteEvents));
  const times = await sqliteTimes(file, large, until);
  log(`tock in SQLite: ${shownTimes(times.tock)}`);
  return { ...times, bytes: statSync(file).size };
}

interface Busy {
  readonly tock: Times;
  readonly acknowledgedPerSecond: number;
  readonly waiting: number;
}

/** Tocks one after the other, up to today, while events come in. */
async function whileTakingIn(dataDir: string, size: Size, until: number): Promise<Busy> {
  const collector = await startBenchCollector(dataDir, { METRONOME_CONFIG: CONFIG });
  const { get, end } = reader(collector.url);
  const random = randomFrom(size.seed + 1);
  // To today, where the events come in.
  const from = isoDay(until - 30 * DAY_MS);
  try {
    const load = { url: collector.url, kind: 'batch', rate: INTAKE_RATE } as const;
    await pacedLoad({ ...load, events: INTAKE_RATE * 5 });
    const loaded = new AbortController();
    const loading = pacedLoad({ ...load, events: INTAKE_RATE * INTAKE_SECONDS }).finally(() =>
      loaded.abort(),
    );
    const tock: number[] = [];
    while (!loaded.signal.aborted) {
      tock.push(
        ...(await timesOf(1, () => get(`/tock/${itemAt(random(), size)}.json?from=${from}`))),
      );
    }
    const said = await loading;
    return {
      tock,
      acknowledgedPerSecond: said.acknowledged / said.seconds,
      waiting: await collector.waiting(),
    };
  } finally {
    end();
    await collector.stop();
  }
}

interface Measured {
  readonly filled: Filled;
  readonly tocks: Tocks;
  readonly ofSmall: OurAnswers;
  readonly ours: OurAnswers;
  readonly plain: Answers;
  readonly sqlite: Sqlite | undefined;
  readonly busy: Busy;
}

function sectionOf({ large, small, sqliteEvents }: DuckdbBench, measured: Measured): Section {
  const { filled, tocks, ofSmall, ours, plain, sqlite, busy } = measured;
  const none = '';
  const row = (name: string, key: keyof Answers, lite: Times | undefined): readonly string[] => [
    name,
    shownTimes(ours[key]),
    shownTimes(ofSmall[key]),
    shownTimes(plain[key]),
    lite ? shownTimes(lite) : none,
  ];
  const alone = (name: string, key: 'berlin' | 'flow' | 'recommendations'): readonly string[] => [
    name,
    shownTimes(ours[key]),
    shownTimes(ofSmall[key]),
    none,
    none,
  ];
  const ofTocks = [tocks.large, tocks.small, tocks.plain];
  const [tock, smallTock, plainTock] = ofTocks.map(({ times }) => p95(times)) as [
    number,
    number,
    number,
  ];
  const aim = (says: string, times: Times, ms: number): string =>
    verdict('Aim', `${says} ${ms} ms`, shown(p95(times)), p95(times) <= ms);
  return {
    title: `The embedded store at ${number(large.events)} events of ${large.days} days`,
    columns: [
      'p50 / p95, ms',
      `${number(large.events)} events`,
      `${number(small.events)} events`,
      'plain SQL in DuckDB over the raw events',
      sqlite ? `indexed SQLite, ${number(sqliteEvents)} events` : 'indexed SQLite',
    ],
    rows: [
      [
        'tock of 30 days, items by popularity',
        ...ofTocks.map(({ times }) => shownTimes(times)),
        sqlite ? shownTimes(sqlite.tock) : none,
      ],
      ['processor time of one of them', ...ofTocks.map((of) => number(of.processorMs, 1)), none],
      alone('the same in Europe/Berlin', 'berlin'),
      row('tock of the most viewed item', 'mostViewed', sqlite?.mostViewed),
      row('tock of the site, 90 days', 'site', sqlite?.site),
      row('top items, 90 days', 'topItems', undefined),
      alone('flow, 30 days', 'flow'),
      row('errors, 30 days', 'errors', undefined),
      alone('recommendations, 30 days', 'recommendations'),
      row('declared query over an own key, 30 days', 'declared', undefined),
      [
        `tock while ${number(busy.acknowledgedPerSecond)} events/s come in (${number(busy.waiting)} wait at the end)`,
        shownTimes(busy.tock),
        none,
        none,
        none,
      ],
      [
        'bytes at rest per event',
        number(filled.bytes / large.events, 1),
        none,
        none,
        sqlite ? `${number(sqlite.bytes / sqliteEvents, 1)} (seven fields)` : none,
      ],
      [
        'memory of the collector at most, MB',
        number(ours.memoryMb),
        number(ofSmall.memoryMb),
        none,
        none,
      ],
    ],
    verdicts: [
      verdict(
        'Must',
        'tock p95 a tenth of plain SQL',
        `${shown(tock)} against ${shown(plainTock)}`,
        tock <= plainTock / 10,
      ),
      verdict(
        'Must',
        `tock p95 at most twice that at ${number(small.events)} events`,
        `${shown(tock)} against ${shown(smallTock)}`,
        tock <= smallTock * 2,
      ),
      aim('tock p95', tocks.large.times, 5),
      aim('the most viewed item', ours.mostViewed, 20),
      aim('site totals of 90 days', ours.site, 50),
      aim('top items of 90 days', ours.topItems, 50),
      aim('flow', ours.flow, 300),
      aim('errors', ours.errors, 300),
      aim('recommendations', ours.recommendations, 300),
      aim('declared query over 30 days', ours.declared, 500),
      aim('tocks while 20,000 events/s come in', busy.tock, 20),
      `Events made in ${number(filled.filledS)} s (0: they were there), rollups of all of them in ${number(filled.countedS)} s.`,
    ],
  };
}

function p95(times: Times): number {
  return quantile(times, 0.95);
}

function shown(ms: number): string {
  return `${number(ms, 1)} ms`;
}

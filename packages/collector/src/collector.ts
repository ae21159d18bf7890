import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import { Archive } from './archive/archive.ts';
import { Chore, maintenance, retention } from './chores.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { pages } from './dashboard/pages.ts';
import { Delivery } from './delivery/delivery.ts';
import { RejectLog } from './delivery/reject-log.ts';
import type { EventStore } from './event-store.ts';
import { Access } from './http/access.ts';
import { type AppParts, createListener } from './http/app.ts';
import { commandRoutes } from './http/commands.ts';
import type { PartState } from './http/health.ts';
import { createMetrics } from './http/metrics.ts';
import { RateLimit } from './http/rate-limit.ts';
import { createIntake, type Intake } from './intake/intake.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import { nodeDisk } from './journal/node-disk.ts';
import { numericKeysOf } from './query/declared-check.ts';
import { Salts } from './salts.ts';
import { openStore } from './store/open-store.ts';
import { allStatistics, BUILT_IN_NUMERIC_KEYS, type Statistics } from './tock/statistics.ts';

/** Everything that runs, put together; the one place that knows all rooms. */
export interface Collector {
  /** The public routes. */
  readonly listener: RequestListener;
  /** What only the owner of the data folder may ask. */
  readonly commands: Hono;
  /** Lets the work at hand finish and gives the data folder up. */
  close(): Promise<void>;
}

export interface CollectorOptions {
  /** A folder of pages that is served under `/example/`. */
  readonly exampleDir?: string | undefined;
  /**
   * For one command, where no collector runs: the configuration that a command finds may be another
   * than the collector's, so nothing is upkept or dropped. Default: false.
   */
  readonly isForCommand?: boolean;
}

const SALT_INTERVAL_MS = 600_000;
/** A start waits so long at most to agree with a store that may be away. */
const SALT_PATIENCE_MS = 2_000;

/**
 * Opens the data folder and begins to deliver. The store may be unreachable: intake runs, and
 * `/ready` says so.
 *
 * @throws MetronomeError `config` when another process owns the folder or it cannot be read.
 */
export async function openCollector(
  config: Config,
  log: Logger,
  options: CollectorOptions = {},
): Promise<Collector> {
  const { settings } = config;
  const { keys, queries } = config.structure;
  const statistics = allStatistics(queries);
  const dataDir = settings.METRONOME_DATA_DIR;
  const journal = await openJournal({
    folder: join(dataDir, 'journal'),
    disk: nodeDisk,
    clock: systemClock,
    log,
    newId: () => randomBytes(6).toString('hex'),
    journalBytesMax: settings.METRONOME_JOURNAL_BYTES_MAX,
    segmentBytesMax: settings.METRONOME_SEGMENT_BYTES_MAX,
    segmentAgeMaxMs: settings.METRONOME_SEGMENT_MINUTES_MAX * 60_000,
  });
  const numericKeys = [...BUILT_IN_NUMERIC_KEYS, ...numericKeysOf(queries, keys)];
  const { isForCommand = false } = options;
  const store = openStore(settings, { numericKeys, queries, keepsUndeclared: isForCommand });
  const rejects = new RejectLog({
    folder: join(dataDir, 'rejects'),
    disk: nodeDisk,
    clock: systemClock,
  });
  const isIntakeBusy = busyIntake(journal);
  const delivery = new Delivery({
    journal,
    store,
    rejects,
    clock: systemClock,
    random: Math.random,
    isBusy: () => isIntakeBusy() && journal.room > journal.bytes,
    log,
  });
  const archive = openArchive(config, journal, log);
  const chores = choresOf(config, store, delivery, log);
  const salts = new Salts(dataDir, systemClock.now);
  const running = { journal, store, delivery, archive, salts, statistics, log, options };
  const parts = appParts(config, running);
  const agree = (): Promise<void> =>
    salts
      .agree(store)
      .catch((error: unknown) => log.warn({ err: error }, 'salts not agreed on yet'));
  const agreeing = setInterval(() => void agree(), SALT_INTERVAL_MS).unref();
  await Promise.race([agree(), systemClock.sleep(SALT_PATIENCE_MS)]);
  delivery.start();
  archive?.start();
  if (!isForCommand) for (const chore of chores) chore.start();
  return {
    listener: createListener(parts),
    commands: commandRoutes({ ...parts, journal, rejects, delivery }),
    async close() {
      clearInterval(agreeing);
      await Promise.all([delivery.stop(), archive?.stop(), ...chores.map((one) => one.stop())]);
      await journal.close();
      await rejects.close();
      await store.close();
    },
  };
}

function openArchive({ settings }: Config, journal: Journal, log: Logger): Archive | undefined {
  const folder = settings.METRONOME_ARCHIVE_DIR;
  return folder === '' ? undefined : new Archive({ journal, folder, clock: systemClock, log });
}

/** Events that wait while the store keeps up with a stream. */
const WAITING_USUAL = 10_000;

function choresOf(
  { settings }: Config,
  store: EventStore,
  delivery: Delivery,
  log: Logger,
): readonly Chore[] {
  const isBusy = (): boolean => delivery.status.waiting > WAITING_USUAL;
  const days = settings.METRONOME_RETENTION_DAYS;
  const clock = systemClock;
  return [
    maintenance({ store, isBusy, log }),
    ...(days === 0 ? [] : [retention({ store, days, clock, log, ...countsDaysOf(settings) })]),
  ].map((work) => new Chore(work, clock));
}

function countsDaysOf({ METRONOME_ROLLUP_RETENTION_DAYS: countsDays }: Config['settings']): {
  readonly countsDays?: number;
} {
  return countsDays === undefined ? {} : { countsDays };
}

interface Running {
  readonly journal: Journal;
  readonly store: EventStore;
  readonly delivery: Delivery;
  readonly archive: Archive | undefined;
  readonly salts: Salts;
  readonly statistics: Statistics;
  readonly log: Logger;
  readonly options: CollectorOptions;
}

function appParts(config: Config, running: Running): AppParts {
  const { settings } = config;
  const { journal, store, delivery, archive, statistics, log, options } = running;
  const last = { receivedAt: undefined as number | undefined };
  const metrics = createMetrics({
    journalBytes: () => journal.bytes,
    oldestWaitingS: () => delivery.status.lagMs / 1000,
    waiting: () => delivery.status.waiting,
    storeErrors: () => delivery.status.errors,
    rejected: () => delivery.status.rejected,
  });
  return {
    intake: openIntake(config, running.salts),
    journal,
    store,
    log,
    access: new Access({
      writeKeys: settings.METRONOME_WRITE_KEYS,
      readTokens: settings.METRONOME_READ_TOKENS,
      origins: settings.METRONOME_ORIGINS,
    }),
    rateLimit: new RateLimit({ perSecond: settings.METRONOME_RATE_LIMIT }),
    metrics,
    onAccepted(count, receivedAt) {
      metrics.accepted.inc(count);
      last.receivedAt = receivedAt;
    },
    trustedProxies: settings.METRONOME_TRUSTED_PROXIES,
    bodyBytesMax: settings.METRONOME_BODY_BYTES_MAX,
    timeZone: settings.METRONOME_TIMEZONE,
    statistics,
    answerRules: {
      sites: Object.keys(config.structure.sites),
      queryEventsMax: settings.METRONOME_QUERY_EVENTS_MAX,
      retentionDays: settings.METRONOME_RETENTION_DAYS,
      ...countsDaysOf(settings),
    },
    now: systemClock.now,
    readiness: async () => ({
      journal: await journalState(journal),
      delivery: deliveryState(delivery),
      store: await storeState(store),
      ...(archive && { archive: archiveState(archive) }),
    }),
    pages: pages({
      receivedAt: () => last.receivedAt,
      store,
      exampleDir: options.exampleDir,
      now: systemClock.now,
    }),
  };
}

function openIntake({ settings, structure }: Config, salts: Salts): Intake {
  const { METRONOME_MAX_AGE_DAYS: maxAgeDays, METRONOME_RETENTION_DAYS: kept } = settings;
  return createIntake({
    salt: (day) => salts.of(day),
    patterns: structure.items,
    ownHosts: Object.values(structure.sites).flatMap(({ hosts }) => hosts),
    maxAgeDays: kept === 0 ? maxAgeDays : Math.min(maxAgeDays, kept),
  });
}

async function journalState(journal: Journal): Promise<PartState> {
  const reason = await journal.check();
  return { ready: reason === undefined, reason };
}

function deliveryState({ status }: Delivery): PartState {
  return { ready: status.state !== 'retrying', reason: status.lastError };
}

function archiveState({ status: { lastError } }: Archive): PartState {
  return { ready: lastError === undefined, reason: lastError };
}

async function storeState(store: EventStore): Promise<PartState> {
  try {
    await store.check();
    return { ready: true };
  } catch (error) {
    return { ready: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Where the event loop or the journal's disk rests less, whatever else runs takes from the intake. */
const BUSY_UTILIZATION = 0.75;

/** Whether the intake was busy since the last call. */
function busyIntake(journal: Pick<Journal, 'writingMs'>): () => boolean {
  const look = () => ({
    at: performance.now(),
    writingMs: journal.writingMs,
    loop: performance.eventLoopUtilization(),
  });
  let last = look();
  return () => {
    const now = look();
    const disk = (now.writingMs - last.writingMs) / (now.at - last.at);
    const { utilization } = performance.eventLoopUtilization(now.loop, last.loop);
    last = now;
    return Math.max(disk, utilization) > BUSY_UTILIZATION;
  };
}

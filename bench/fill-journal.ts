import { join } from 'node:path';
import { pino } from 'pino';
import type { Clock } from '../packages/collector/src/clock.ts';
import { createIntake } from '../packages/collector/src/intake/intake.ts';
import { type Journal, openJournal } from '../packages/collector/src/journal/journal.ts';
import { nodeDisk } from '../packages/collector/src/journal/node-disk.ts';
import { TOKEN } from './events.ts';
import structure from './metronome.config.json' with { type: 'json' };
import { BATCH, bodyOf } from './requests.ts';

const JOURNAL_BYTES_MAX = 64 * 1024 ** 3;
/** Batches of 500 that share a group commit. */
const BATCHES_AT_ONCE = 20;

export interface Filling {
  readonly events: number;
  /** Epoch ms: the events happen, and are received, evenly from the one to the other. */
  readonly from: number;
  readonly to: number;
}

/** Writes the journal of a data folder as a collector would have, without HTTP, and closes it. */
export async function fillJournal(dataDir: string, { events, from, to }: Filling): Promise<void> {
  let now = from;
  const journal = await openBenchJournal(dataDir, { now: () => now, sleep });
  const intake = createIntake({
    salt: () => 'a salt of the day, as long as a real one',
    patterns: structure.items,
    ownHosts: structure.sites.default.hosts,
  });
  const client = {
    ip: '127.0.0.1',
    userAgent: 'shipper/1.0',
    fromBrowser: false,
    privacy: false,
    privileged: false,
  };
  const batches = Math.ceil(events / BATCH.eventsEach);
  let appending: Promise<unknown>[] = [];
  for (let n = 0; n < batches; n++) {
    now = Math.floor(from + ((to - from) * n) / batches);
    const bytes = Buffer.from(bodyOf(BATCH, n, now).replaceAll(TOKEN, 'filled-beforehand'));
    const body = { contentType: BATCH.contentType, bytes };
    const { add, commit } = journal.begin();
    intake.take(body, { ...client, receivedAt: now }, add);
    appending.push(commit());
    if (appending.length < BATCHES_AT_ONCE) continue;
    await Promise.all(appending);
    appending = [];
  }
  await Promise.all(appending);
  await journal.close();
}

/** Nothing is due until the journal is closed. */
function sleep(_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener('abort', () => resolve());
  });
}

export function openBenchJournal(dataDir: string, clock: Clock): Promise<Journal> {
  return openJournal({
    folder: join(dataDir, 'journal'),
    disk: nodeDisk,
    clock,
    log: pino({ level: 'warn' }),
    newId: () => 'bench0journal',
    journalBytesMax: JOURNAL_BYTES_MAX,
  });
}

/** A collector that is killed again and again under load, and what its store then holds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../parts/free-ports.ts';
import { Book } from './book.ts';
import { type Chance, chanceOf } from './chance.ts';
import { startLoad } from './load.ts';
import { type Moments, momentsOf } from './moments.ts';
import { closeAndVerify, type RunReport } from './report.ts';
import type { RunStore } from './stores.ts';
import { auditBy, type Environment } from './verify.ts';
import { startVictim, type Victim } from './victim.ts';

export interface KillRunOptions {
  readonly title: string;
  readonly store: RunStore;
  readonly seed: number;
  readonly kills: number;
  /** Epoch ms; no kill after it. */
  readonly deadline: number;
  /** Told now and then how far it is. */
  readonly say: (line: string) => void;
}

/** Small ones roll their segments many times a second; full ones refuse. */
const JOURNAL_BYTES_MAX = ['1048576', '4194304', '67108864'] as const;
/** Of the kills, those that strike before the collector listens. */
const EARLY_KILLS = 0.15;
const START_MS = 1_500;
const LIFE_MEAN_MS = 700;
const LIFE_MAX_MS = 5_000;
const AUDIT_EVERY_KILLS = 50;

export async function killRun(options: KillRunOptions): Promise<RunReport> {
  const { seed, store, say } = options;
  const chance = chanceOf(seed);
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-chaos-'));
  const [port = 0] = await freePorts(1);
  const env = {
    ...store.env,
    METRONOME_DATA_DIR: dataDir,
    METRONOME_PORT: String(port),
    METRONOME_RATE_LIMIT: '0',
  };
  const url = `http://127.0.0.1:${port}`;
  const name = `kills${seed}`;
  const book = new Book();
  const load = startLoad({ url, book, chance: chance.fork(), name });
  const moments: Moments = { start: 0, intake: 0, delivery: 0, roll: 0 };
  let kills = 0;
  try {
    while (kills < options.kills && Date.now() < options.deadline) {
      const victim = startVictim({
        ...env,
        METRONOME_JOURNAL_BYTES_MAX: chance.pick(JOURNAL_BYTES_MAX),
      });
      if ((kills + 1) % AUDIT_EVERY_KILLS === 0) await auditBeside(victim, env, book);
      const before = book.unanswered;
      await liveAWhile(victim, chance);
      if (victim.died) throw new Error(`The collector ended:\n${victim.output.join('\n')}`);
      const { listens: listened } = victim;
      await victim.kill();
      kills += 1;
      const tookBatch = await store.tookBatch(dataDir);
      const unanswered = book.unanswered - before;
      for (const moment of momentsOf(dataDir, { listened, unanswered, tookBatch })) {
        moments[moment] += 1;
      }
      if (kills % AUDIT_EVERY_KILLS === 0) {
        say(
          `${options.title}: ${kills} kills, ${book.events} events, ${book.violations.length} violations`,
        );
      }
    }
    const facts = { title: options.title, kills, moments };
    return await closeAndVerify({ env, url, name, book, load, facts });
  } finally {
    await store.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Until its moment comes: for some before they listen. */
async function liveAWhile(victim: Victim, chance: Chance): Promise<void> {
  if (chance.happens(EARLY_KILLS)) {
    await Promise.race([delay(chance.below(START_MS)), victim.listening]);
    return;
  }
  const lifeMs = Math.min(LIFE_MAX_MS, -Math.log(1 - chance.next()) * LIFE_MEAN_MS);
  await victim.listening;
  await delay(lifeMs);
}

/** Journal and store agree at any time, also while events wait. */
async function auditBeside(victim: Victim, env: Environment, book: Book): Promise<void> {
  await victim.listening;
  const { differences } = await auditBy(env);
  for (const difference of differences) book.violated(`In the middle: ${difference}`);
}

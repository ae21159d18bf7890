/** A collector that is killed again and again under load, and what its store then holds. */
import { setTimeout as delay } from 'node:timers/promises';
import { delivers } from './delivers.ts';
import { type Moments, momentsOf } from './moments.ts';
import type { RunReport } from './report.ts';
import { play, type Scene, type SceneOptions } from './scene.ts';
import { auditBy } from './verify.ts';
import type { Victim } from './victim.ts';

export interface KillRunOptions extends SceneOptions {
  readonly kills: number;
  /** Epoch ms; no kill after it. */
  readonly deadline: number;
}

/** Small ones roll their segments many times a second; full ones refuse. */
const JOURNAL_BYTES_MAX = ['1048576', '4194304', '67108864'] as const;
/** Of the kills, those that strike before the collector listens. */
const EARLY_KILLS = 0.15;
const START_MS = 1_500;
const LIFE_MEAN_MS = 700;
const LIFE_MAX_MS = 5_000;
/** Of the others, those that live until they have taken in what the short-lived left behind. */
const LONG_LIVES = 0.2;
const LONG_LIFE_MAX_MS = 30_000;
const AUDIT_EVERY_KILLS = 10;

export function killRun(options: KillRunOptions): Promise<RunReport> {
  const { store, title } = options;
  return play(options, async (scene) => {
    const { book, chance, dataDir, say } = scene;
    const moments: Moments = { start: 0, intake: 0, delivery: 0, roll: 0 };
    let kills = 0;
    while (kills < options.kills && Date.now() < options.deadline) {
      const victim = scene.start({ METRONOME_JOURNAL_BYTES_MAX: chance.pick(JOURNAL_BYTES_MAX) });
      if ((kills + 1) % AUDIT_EVERY_KILLS === 0) await auditBeside(victim, scene);
      const before = book.unanswered;
      await liveAWhile(victim, scene);
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
          `${title}: ${kills} kills, ${book.events} events, ${book.violations.length} violations`,
        );
      }
    }
    return { facts: { kills, moments } };
  });
}

/** Until its moment comes: for some before they listen. */
async function liveAWhile(victim: Victim, scene: Scene): Promise<void> {
  const { chance } = scene;
  if (chance.happens(EARLY_KILLS)) {
    await Promise.race([delay(chance.below(START_MS)), victim.listening]);
    return;
  }
  const isLong = chance.happens(LONG_LIVES);
  const lifeMs = Math.min(LIFE_MAX_MS, -Math.log(1 - chance.next()) * LIFE_MEAN_MS);
  await victim.listening;
  if (isLong) await delivers(scene, LONG_LIFE_MAX_MS);
  await delay(lifeMs);
}

/** Journal and store agree at any time, also while events wait. */
async function auditBeside(victim: Victim, { env, book }: Scene): Promise<void> {
  await victim.listening;
  const { differences } = await auditBy(env);
  for (const difference of differences) book.violated(`In the middle: ${difference}`);
}

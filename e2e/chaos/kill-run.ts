/** A collector that is killed again and again under load, and what its store then holds. */
import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Book } from './book.ts';
import type { Chance } from './chance.ts';
import { delivers } from './delivers.ts';
import { type Moments, momentsOf } from './moments.ts';
import { endOf, type RunReport } from './report.ts';
import { play, type SceneOptions } from './scene.ts';
import type { Seat } from './seat.ts';
import { tearEnd } from './torn-end.ts';
import { auditBy } from './verify.ts';
import type { Victim } from './victim.ts';

export interface KillRunOptions extends SceneOptions {
  readonly kills: number;
  /** Epoch ms; no kill after it. */
  readonly deadline: number;
}

/** Small ones roll their segments many times a second; full ones refuse. */
const JOURNAL_BYTES_MAX = ['1048576', '4194304', '4194304', '67108864'] as const;
/** Of the kills, those that strike before the collector listens. */
const EARLY_KILLS = 0.15;
const START_MS = 1_500;
const LIFE_MEAN_MS = 700;
const LIFE_MAX_MS = 5_000;
/** Of the others, those that live until they have taken in what the short-lived left behind. */
const LONG_LIVES = 0.2;
const LONG_LIFE_MAX_MS = 30_000;
/** Of the kills, those that wait for the roll of a segment. */
const AIMED_AT_ROLLS = 0.2;
/** Of the ends of a life: the others are kills. */
const STOPS = 0.08;
/** After every second kill the end of the journal is torn, as by a power cut. */
const TORN_EVERY_KILLS = 2;
const AUDIT_EVERY_KILLS = 10;

export function killRun(options: KillRunOptions): Promise<RunReport> {
  const { store, title } = options;
  return play(options, async (scene) => {
    const { book, chance, say, seats } = scene;
    const moments: Moments = { start: 0, intake: 0, delivery: 0, roll: 0 };
    let kills = 0;
    let stops = 0;
    let tornEnds = 0;
    for (const seat of seats) startOn(seat, chance);
    while (kills < options.kills && Date.now() < options.deadline) {
      const seat = seats[chance.below(seats.length)] ?? scene.seat;
      const { dataDir } = seat;
      const victim = seat.victim?.ended === false ? seat.victim : startOn(seat, chance);
      if ((kills + 1) % AUDIT_EVERY_KILLS === 0) await auditBeside(victim, seat, book);
      const before = book.unanswered;
      await liveAWhile(victim, seat, chance);
      if (victim.listens && chance.happens(STOPS)) {
        for (const sentence of await endOf(victim)) book.violated(sentence);
        stops += 1;
        continue;
      }
      if (victim.died) throw new Error(`The collector ended:\n${victim.output.join('\n')}`);
      const { listens: listened } = victim;
      const killedAt = Date.now();
      await victim.kill();
      kills += 1;
      const tookBatch = await store.tookBatch(dataDir);
      const unanswered = book.unanswered - before;
      for (const moment of momentsOf(dataDir, { listened, unanswered, tookBatch, killedAt })) {
        moments[moment] += 1;
      }
      if (kills % TORN_EVERY_KILLS === 0 && tearEnd(dataDir, chance)) tornEnds += 1;
      if (kills % AUDIT_EVERY_KILLS === 0) {
        say(
          `${title}: ${kills} kills, ${book.events} events, ${book.violations.length} violations`,
        );
      }
    }
    if (kills < options.kills) say(`${title}: the time was over before ${options.kills} kills`);
    return { kills, stops, tornEnds, moments };
  });
}

function startOn(seat: Seat, chance: Chance): Victim {
  return seat.start({ METRONOME_JOURNAL_BYTES_MAX: chance.pick(JOURNAL_BYTES_MAX) });
}

/** Until its moment comes: for some before they listen. */
async function liveAWhile(victim: Victim, seat: Seat, chance: Chance): Promise<void> {
  if (chance.happens(EARLY_KILLS)) {
    await Promise.race([delay(chance.below(START_MS)), victim.listening]);
    return;
  }
  const isLong = chance.happens(LONG_LIVES);
  const lifeMs = Math.min(LIFE_MAX_MS, -Math.log(1 - chance.next()) * LIFE_MEAN_MS);
  await victim.listening;
  if (isLong) await delivers(seat, LONG_LIFE_MAX_MS);
  await (chance.happens(AIMED_AT_ROLLS) ? nextSegment(seat) : delay(lifeMs));
}

/** Resolves when the journal begins a segment; rolls are too short to be hit by chance. */
async function nextSegment({ dataDir }: Seat): Promise<void> {
  const folder = join(dataDir, 'journal');
  const signal = AbortSignal.timeout(LIFE_MAX_MS);
  try {
    for await (const { eventType, filename } of watch(folder, { signal })) {
      const isSegment = eventType === 'rename' && filename?.endsWith('.journal') === true;
      // A segment that was removed has the same event.
      if (isSegment && existsSync(join(folder, filename))) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Journal and store agree at any time, also while events wait. */
async function auditBeside(victim: Victim, { env }: Seat, book: Book): Promise<void> {
  await victim.listening;
  const { differences } = await auditBy(env);
  for (const difference of differences) book.violated(`In the middle: ${difference}`);
}

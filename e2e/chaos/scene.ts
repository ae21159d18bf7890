import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Book } from './book.ts';
import { type Chance, chanceOf } from './chance.ts';
import { startLoad } from './load.ts';
import { closeAndVerify, type RunFacts, type RunReport } from './report.ts';
import { makeSeat, type Seat } from './seat.ts';
import type { RunStore } from './stores.ts';

export interface SceneOptions {
  readonly title: string;
  readonly store: RunStore;
  readonly seed: number;
  /** Of the first collector; default: a new one. */
  readonly dataDir?: string;
  /** Of the one store, behind which clients send to any of them; default 1. */
  readonly collectors?: number;
  /** Told how far it is. */
  readonly say?: (line: string) => void;
  /** Rest of each client between two requests; default: hardly any. */
  readonly restMs?: number;
}

/** Clients, a store, and collectors that come and go. */
export interface Scene {
  readonly seat: Seat;
  /** That one, and the others. */
  readonly seats: readonly Seat[];
  readonly book: Book;
  readonly chance: Chance;
  readonly say: (line: string) => void;
  /** Resolves when clients get 202s; false when they get none for long. */
  takes(): Promise<boolean>;
  /** Resolves when clients get nothing but 503s; false when they still get 202s after long. */
  refuses(): Promise<boolean>;
}

/** Plays a scene under load and compares what is left with what was promised. */
export async function play(
  options: SceneOptions,
  act: (scene: Scene) => Promise<Omit<RunFacts, 'title'>>,
): Promise<RunReport> {
  const { title, store, seed, restMs, say = () => {}, collectors = 1 } = options;
  const first = await makeSeat(store.env, options.dataDir);
  const seats = [first];
  while (seats.length < collectors) seats.push(await makeSeat(store.env));
  const chance = chanceOf(seed);
  const name = `run${seed}`;
  const book = new Book();
  const urls = seats.map(({ url }) => url);
  const load = startLoad({ urls, book, chance: chance.fork(), name, restMs });
  const acknowledged = (): number => book.acknowledged;
  const scene: Scene = {
    seat: first,
    seats,
    book,
    chance,
    say,
    takes: () => within(acknowledged, (news) => news > 0),
    refuses: () => within(acknowledged, (news) => news === 0),
  };
  try {
    const facts = { title, ...(await act(scene)) };
    return await closeAndVerify({ seats, name, book, load, facts });
  } finally {
    for (const { victim, dataDir } of seats) {
      await victim?.kill();
      rmSync(dataDir, { recursive: true, force: true });
    }
    await store.remove();
  }
}

const PATIENCE_MS = 60_000;
const LOOK_MS = 1_000;

/** Looks at what a count grows by in a second, until it is as expected. */
async function within(count: () => number, expected: (news: number) => boolean): Promise<boolean> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const before = count();
    await delay(LOOK_MS);
    if (expected(count() - before)) return true;
  }
  return false;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../parts/free-ports.ts';
import { Book } from './book.ts';
import { type Chance, chanceOf } from './chance.ts';
import { startLoad } from './load.ts';
import { closeAndVerify, type RunFacts, type RunReport } from './report.ts';
import type { RunStore } from './stores.ts';
import type { Environment } from './verify.ts';
import { startVictim, type Victim } from './victim.ts';

export interface SceneOptions {
  readonly title: string;
  readonly store: RunStore;
  readonly seed: number;
  /** Default: a new one. */
  readonly dataDir?: string;
  /** Told how far it is. */
  readonly say?: (line: string) => void;
  /** Rest of each client between two requests; default: hardly any. */
  readonly restMs?: number;
}

/** A data folder, a store and clients, for collectors that come and go. */
export interface Scene {
  readonly url: string;
  readonly dataDir: string;
  readonly book: Book;
  readonly chance: Chance;
  readonly say: (line: string) => void;
  start(settings?: Environment): Victim;
  /** Settings of a command beside the collector. */
  readonly env: Environment;
  /** Resolves when clients get 202s; false when they get none for long. */
  takes(): Promise<boolean>;
  /** Resolves when clients get nothing but 503s; false when they still get 202s after long. */
  refuses(): Promise<boolean>;
}

/** Plays a scene under load and compares what is left with what was promised. */
export async function play(
  { title, store, seed, dataDir: given, restMs, say = () => {} }: SceneOptions,
  act: (
    scene: Scene,
  ) => Promise<{ readonly facts: Omit<RunFacts, 'title'>; readonly running?: Victim }>,
): Promise<RunReport> {
  const dataDir = given ?? mkdtempSync(join(tmpdir(), 'metronome-chaos-'));
  const [port = 0] = await freePorts(1);
  const env = {
    ...store.env,
    METRONOME_DATA_DIR: dataDir,
    METRONOME_PORT: String(port),
    METRONOME_RATE_LIMIT: '0',
  };
  const url = `http://127.0.0.1:${port}`;
  const chance = chanceOf(seed);
  const name = `run${seed}`;
  const book = new Book();
  const load = startLoad({ url, book, chance: chance.fork(), name, restMs });
  const scene = {
    url,
    dataDir,
    book,
    chance,
    say,
    env,
    start: (more: Environment = {}) => startVictim({ ...env, ...more }),
    takes: () =>
      within(
        () => book.acknowledged,
        (news) => news > 0,
      ),
    refuses: () =>
      within(
        () => book.acknowledged,
        (news) => news === 0,
      ),
  };
  try {
    const { facts, running } = await act(scene);
    const closing = { env, url, name, book, load, facts: { title, ...facts } };
    return await closeAndVerify(running === undefined ? closing : { ...closing, running });
  } finally {
    await store.remove();
    rmSync(dataDir, { recursive: true, force: true });
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

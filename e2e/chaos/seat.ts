import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../parts/free-ports.ts';
import type { Environment } from './verify.ts';
import { startVictim, type Victim } from './victim.ts';

/** A data folder and a port, for one collector after the other. */
export interface Seat {
  readonly url: string;
  readonly dataDir: string;
  /** Settings of the collector, and of a command beside it. */
  readonly env: Environment;
  /** The collector that was started last. */
  readonly victim: Victim | undefined;
  /** Starts one, with more settings for itself alone. */
  start(settings?: Environment): Victim;
}

export async function makeSeat(store: Environment, given?: string): Promise<Seat> {
  const dataDir = given ?? mkdtempSync(join(tmpdir(), 'metronome-chaos-'));
  const [port = 0] = await freePorts(1);
  const env = {
    ...store,
    METRONOME_DATA_DIR: dataDir,
    METRONOME_PORT: String(port),
    METRONOME_RATE_LIMIT: '0',
  };
  let victim: Victim | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    dataDir,
    env,
    get victim() {
      return victim;
    },
    start(settings = {}) {
      victim = startVictim({ ...env, ...settings });
      return victim;
    },
  };
}

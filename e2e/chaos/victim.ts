import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { spawnMetronome } from '../collector-process.ts';
import type { Environment } from './verify.ts';

const OUTPUT_LINES_MAX = 50;

/** A collector that may be killed at any moment, also before it listens. */
export interface Victim {
  readonly pid: number;
  /** Resolves when it listens. Throws when it ends by itself before that. */
  readonly listening: Promise<void>;
  /** False before it listens. */
  readonly listens: boolean;
  /** Its last lines. */
  readonly output: readonly string[];
  /** Lines of level `error` and above. */
  readonly faults: readonly string[];
  readonly ended: boolean;
  /** Whether it ended without being told to. */
  readonly died: boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
}

export function startVictim(env: Environment): Victim {
  const child = spawnMetronome(['start'], env);
  const output: string[] = [];
  const faults: string[] = [];
  const state = { listens: false, told: false };
  const listening = listens(child, output, faults, state);
  listening.catch(() => undefined);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (hasEnded()) return child.exitCode;
    state.told = true;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    listening,
    output,
    faults,
    get listens() {
      return state.listens;
    },
    get ended() {
      return hasEnded();
    },
    get died() {
      return !state.told && hasEnded();
    },
    async kill() {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}

function listens(
  child: ChildProcess,
  output: string[],
  faults: string[],
  state: { listens: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const keep = (line: string): void => {
      output.push(line);
      if (output.length > OUTPUT_LINES_MAX) output.shift();
      if (/^\{"level":[56]0,/u.test(line) && faults.length < OUTPUT_LINES_MAX) faults.push(line);
      if (!line.includes('"msg":"listening"')) return;
      state.listens = true;
      resolve();
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', keep);
    }
    child.once('close', () => reject(new Error(`The collector ended:\n${output.join('\n')}`)));
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../packages/collector/dist/main.js', import.meta.url));
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A collector as a user runs it: the built program in a process of its own. */
export interface CollectorProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Lines of its log so far. */
  readonly log: readonly string[];
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface CollectorProcessOptions {
  /** Settings; METRONOME_PORT is a free one unless given. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder of an earlier process; a new one when absent. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
}

/** Starts `metronome start` and resolves when it listens. Throws with its output when it ends. */
export async function startCollector(
  options: CollectorProcessOptions = {},
): Promise<CollectorProcess> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'metronome-e2e-'));
  const child = spawnMetronome(['start', ...(options.args ?? [])], {
    METRONOME_DATA_DIR: dataDir,
    METRONOME_PORT: '0',
    ...options.env,
  });
  const log: string[] = [];
  const url = await listening(child, log);
  return {
    url,
    dataDir,
    pid: child.pid ?? 0,
    log,
    stop: async () => (await end(child, 'SIGTERM'))[0],
    kill: async () => {
      await end(child, 'SIGKILL');
    },
  };
}

/** Runs one `metronome` command and resolves with its exit code and output. */
export async function runMetronome(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = ROOT,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnMetronome(args, env, cwd);
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (text) => (output.stdout += String(text)));
  child.stderr?.on('data', (text) => (output.stderr += String(text)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** Runs one `metronome` command without waiting for anything; it ends with this process. */
export function spawnMetronome(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = ROOT,
): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('METRONOME_'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

async function listening(child: ChildProcess, log: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (text) => log.push(String(text)));
    child.once('exit', () => reject(new Error(`The collector ended:\n${log.join('\n')}`)));
    if (child.stdout === null) return;
    createInterface(child.stdout).on('line', (line) => {
      log.push(line);
      const entry: { msg?: string; url?: string } = JSON.parse(line);
      if (entry.msg === 'listening' && entry.url !== undefined) resolve(entry.url);
    });
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<[number | null]> {
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode];
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.kill(signal);
  return exited;
}

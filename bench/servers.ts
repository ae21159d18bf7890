import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCollector } from '../e2e/collector-process.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A server under load. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<unknown>;
}

/** What became of all events so far. */
export interface Counts {
  readonly acknowledged: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly waiting: number;
}

export interface BenchCollector extends Server {
  /** Acknowledged events that are not in the store yet. */
  waiting(): Promise<number>;
  /** Waits until everything is in the store; resolves with how long that took, in ms. */
  drained(): Promise<number>;
  /** From its own audit. Throws when that finds a difference. */
  counts(): Promise<Counts>;
}

export async function startBareServer(folder: string): Promise<Server> {
  const child = spawn(process.execPath, [here('bare-server.ts'), join(folder, 'lines')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    url: await firstLine(child),
    pid: child.pid ?? 0,
    async stop() {
      process.off('exit', kill);
      const ended = once(child, 'exit');
      kill();
      await ended;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('The server says nothing');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return line;
}

/** The built collector, as in production: with sites and patterns, but no limit for one client. */
export async function startBenchCollector(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<BenchCollector> {
  const collector = await startCollector({
    dataDir,
    env: {
      METRONOME_CONFIG: here('metronome.config.json'),
      METRONOME_RATE_LIMIT: '0',
      METRONOME_JOURNAL_BYTES_MAX: String(32 * 1024 ** 3),
      ...env,
    },
  });
  const waiting = (): Promise<number> => waitingEvents(collector.url);
  return {
    url: collector.url,
    pid: collector.pid,
    stop: () => collector.stop(),
    waiting,
    async drained() {
      const start = performance.now();
      while ((await waiting()) > 0) await delay(100);
      return performance.now() - start;
    },
    counts: () => countsOf(join(dataDir, 'metronome.sock')),
  };
}

async function waitingEvents(url: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`);
  const found = /^metronome_waiting_events (\d+)$/mu.exec(await answer.text());
  if (found === null) throw new Error('The collector does not say how many events wait');
  return Number(found[1]);
}

async function countsOf(socketPath: string): Promise<Counts> {
  const asked = request({ socketPath, path: '/audit' });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const answer = JSON.parse(await text(response)) as { agrees: boolean; days: readonly Counts[] };
  if (!answer.agrees) throw new Error(`The audit finds differences: ${JSON.stringify(answer)}`);
  const sum = (name: keyof Counts): number =>
    answer.days.reduce((total, day) => total + day[name], 0);
  return {
    acknowledged: sum('acknowledged'),
    stored: sum('stored'),
    duplicates: sum('duplicates'),
    rejected: sum('rejected'),
    waiting: sum('waiting'),
  };
}

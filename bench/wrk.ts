import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { processorMs } from './process-usage.ts';
import type { Server } from './servers.ts';

const SCRIPT = fileURLToPath(new URL('post.lua', import.meta.url));

export interface Load {
  /** Of whole requests, see `writeRequests`. */
  readonly requestsFile: string;
  readonly eventsEach: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface Leg {
  readonly requests: number;
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Processor time of the server for one event, all its threads, in µs. */
  readonly processorUs: number;
}

/** @throws Error that says how to install wrk, when it is missing */
export function checkWrk(): void {
  try {
    execFileSync('wrk', ['--version'], { stdio: 'ignore' });
  } catch (error) {
    // `wrk --version` shows its usage and exits with 1.
    if (error instanceof Error && 'status' in error && error.status === 1) return;
    const install = 'install it with `apt-get install wrk` (Debian, Ubuntu) or `brew install wrk`';
    throw new Error(`The load generator wrk is missing: ${install}.`, { cause: error });
  }
}

/** Loads a server until the time is over; throws when a request fails. */
export async function load(server: Server, settings: Load): Promise<Leg> {
  const { requestsFile, eventsEach, connections, seconds } = settings;
  const before = processorMs(server.pid);
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s'];
  const target = [`${server.url}/tick`, '--', requestsFile];
  const { stdout } = await promisify(execFile)('wrk', [...args, '-s', SCRIPT, ...target]);
  const processor = processorMs(server.pid) - before;
  const said = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))) as Said;
  if (said.failedRequests + said.failedSockets > 0) {
    throw new Error(`${said.failedRequests} requests and ${said.failedSockets} sockets failed`);
  }
  const events = said.requests * eventsEach;
  return {
    requests: said.requests,
    eventsPerSecond: (events / said.durationUs) * 1e6,
    p50Ms: said.p50Us / 1000,
    p99Ms: said.p99Us / 1000,
    maxMs: said.maxUs / 1000,
    processorUs: (processor * 1000) / events,
  };
}

interface Said {
  readonly requests: number;
  readonly durationUs: number;
  readonly failedSockets: number;
  readonly failedRequests: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

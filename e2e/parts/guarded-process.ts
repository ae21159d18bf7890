import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const KILL_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 10;

/** A program and all its children, in a process group that never outlives this process. */
export type GuardedProcess = {
  /** The process group's id. */
  readonly groupId: number;
  /** Resolves when the program has ended, by itself or killed. */
  readonly exited: Promise<void>;
  hasExited(): boolean;
  /** The last lines it wrote to its log. */
  logTail(): Promise<string>;
  /** SIGKILL to the whole group; resolves when it is gone. */
  kill(): Promise<void>;
};

export type GuardedProcessOptions = {
  env: NodeJS.ProcessEnv;
  /** Receives stdout and stderr. */
  logFile: string;
  cwd?: string;
  uid?: number;
  gid?: number;
};

// The guard's standard input is a pipe of this process. However this process ends, SIGKILL
// included, the pipe closes, `read` returns, and the guard kills the group, itself included.
const GUARD = `exec 3<&0
"$@" 3<&- </dev/null & program=$!
{ read -r _ <&3; kill -KILL 0; } &
wait "$program"; echo "The program ended with status $?." >&2
kill -KILL 0`;

/** Starts a program under a guard (POSIX only). */
export function spawnGuarded(
  command: string,
  args: readonly string[],
  { logFile, ...options }: GuardedProcessOptions,
): GuardedProcess {
  const log = openSync(logFile, 'a');
  const child = spawn('sh', ['-c', GUARD, 'guard', command, ...args], {
    ...options,
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const groupId = child.pid;
  if (groupId === undefined) throw new Error(`Cannot start ${command}`);

  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // Neither the child nor the pipe keeps this process alive.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();

  return {
    groupId,
    exited,
    hasExited: () => ended,
    logTail: async () => (await readFile(logFile, 'utf8')).split('\n').slice(-20).join('\n'),
    async kill() {
      if (ended) return;
      child.ref();
      signalGroup(groupId, 'SIGKILL');
      await exited;
      // The guard can be gone a moment before the program, which still holds its ports and files.
      const deadline = Date.now() + KILL_TIMEOUT_MS;
      while (signalGroup(groupId, 0) && Date.now() < deadline) await delay(POLL_INTERVAL_MS);
    },
  };
}

/** Whether the group still had a process; signal 0 only asks. */
function signalGroup(groupId: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(-groupId, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

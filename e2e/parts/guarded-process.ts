import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** A program and all its children, in a process group that never outlives this process. */
export type GuardedProcess = {
  /** Resolves when the program and its children are gone, by themselves or killed. */
  readonly ended: Promise<void>;
  hasEnded(): boolean;
  /** The last of what it wrote. */
  output(): string;
  /** SIGKILL to the whole group; resolves when it is gone. */
  kill(): Promise<void>;
};

export type GuardedProcessOptions = {
  env: NodeJS.ProcessEnv;
  /** A folder of the program's own: deleted with it when this process ends first. */
  folder: string;
  uid?: number;
  gid?: number;
};

const OUTPUT_CHARACTERS_MAX = 8_192;

/** Starts a program in its folder (POSIX only). */
export function spawnGuarded(
  command: string,
  args: readonly string[],
  { folder, ...options }: GuardedProcessOptions,
): GuardedProcess {
  const child = spawn(command, args, {
    ...options,
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const guard = endWithThisProcess(child, folder);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS_MAX);
    });
  }

  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    // `close` comes when the last process of the group has let go of its output.
    child.once('close', () => {
      hasEnded = true;
      guard.kill();
      resolve();
    });
  });
  doNotWaitFor(child);
  return {
    ended,
    hasEnded: () => hasEnded,
    output: () => output,
    async kill() {
      if (hasEnded) return;
      waitFor(child);
      killGroup(child);
      await ended;
    },
  };
}

// The guard's standard input is a pipe of this process. However this process ends, SIGKILL
// included, the pipe closes and `read` returns.
const GUARD = 'read -r _; kill -KILL "-$1"; rm -rf "$2"';

/**
 * Lets a detached program, its children and its folder go away when this process ends.
 * @returns the guard, to be killed when there is nothing more to guard
 */
export function endWithThisProcess(program: ChildProcess, folder: string): ChildProcess {
  const guard = spawn('sh', ['-c', GUARD, 'guard', String(groupIdOf(program)), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  doNotWaitFor(guard);
  return guard;
}

function groupIdOf({ pid, spawnfile }: ChildProcess): number {
  if (pid === undefined) throw new Error(`Cannot start ${spawnfile}`);
  return pid;
}

/** Its end comes when its pipes are closed: they too must keep this process alive until then. */
function waitFor(child: ChildProcess): void {
  child.ref();
  for (const stream of child.stdio) if (stream instanceof Socket) stream.ref();
}

/** Neither the child nor its pipes keep this process alive. */
function doNotWaitFor(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
}

/** SIGKILL to a detached program and its children. */
export function killGroup(program: ChildProcess): void {
  try {
    process.kill(-groupIdOf(program), 'SIGKILL');
  } catch (error) {
    // It ended by itself in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { type GuardedProcess, spawnGuarded } from './guarded-process.ts';

/** Two generations: a shell, and a `sleep` of it, whose process id it prints. */
const FAMILY = ['-c', 'sleep 1000 & echo "pid $!"; wait'];

let folder: string;
let family: GuardedProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'metronome-guarded-'));
});
afterEach(async () => {
  await family?.kill();
  await rm(folder, { recursive: true, force: true });
});

test('a killed program takes its children with it', async () => {
  family = spawnGuarded('sh', FAMILY, { env: process.env, folder });
  const started = family;
  const child = await vi.waitFor(() => pidIn(started.output()));
  await family.kill();
  expect(family.hasEnded()).toBe(true);
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 10_000 });
});

test('nothing of a program outlives the process that started it', async () => {
  const script = join(folder, 'parent.ts');
  const module = JSON.stringify(join(import.meta.dirname, 'guarded-process.ts'));
  const args = JSON.stringify(FAMILY);
  await writeFile(
    script,
    `import { spawnGuarded } from ${module};
     const options = { env: process.env, folder: ${JSON.stringify(folder)} };
     const family = spawnGuarded('sh', ${args}, options);
     setInterval(() => process.stdout.write(family.output()), 20);`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  parent.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  const child = await vi.waitFor(() => pidIn(output), { timeout: 20_000 });
  expect(isAlive(child)).toBe(true);

  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 10_000 });
  await vi.waitFor(() => expect(access(folder)).rejects.toThrow(), { timeout: 10_000 });
});

function pidIn(output: string): number {
  const pid = /pid (\d+)/.exec(output)?.[1];
  if (pid === undefined) throw new Error(`No process id yet: ${output}`);
  return Number(pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

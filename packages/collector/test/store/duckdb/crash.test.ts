import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';

const appender = join(import.meta.dirname, 'appender.ts');

let dataDir = '';
let child: ChildProcessByStdio<null, Readable, null> | undefined;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-crash-'));
});
afterEach(async () => {
  await kill();
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts the appender; `command` may wrap it. Gives its lines one by one. */
function start(size: number, command: readonly string[] = []): AsyncIterator<string> {
  const [program, ...wrapped] = [...command, process.execPath];
  child = spawn(program ?? '', [...wrapped, appender, dataDir, String(size)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

async function kill(): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function next(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done) throw new Error('the appender ended');
  return value;
}

async function until(lines: AsyncIterator<string>, word: string): Promise<string> {
  for (;;) {
    const line = await next(lines);
    if (line.startsWith(word)) return line;
    expect(line).toMatch(/^(stored|unavailable)/);
  }
}

function sequence(line: string): number {
  return Number(line.split(' ')[1]);
}

/** Every event up to the cursor is there once, and the tally says the same. */
async function expectWhole(acknowledged: number): Promise<void> {
  const store = openDuckdbStore({ dataDir });
  const cursor = await store.cursor('appender');
  expect(cursor).toBeGreaterThan(acknowledged);
  const [row] = await store.query({
    measures: {
      n: { kind: 'count' },
      ids: { kind: 'distinct', field: 'id' },
      sequences: { kind: 'distinct', field: 'sequence' },
      last: { kind: 'max', field: 'sequence' },
    },
    range: { from: 0, to: Date.UTC(2100, 0, 1) },
  });
  const stored = cursor - 1;
  expect(row).toEqual({ n: stored, ids: stored, sequences: stored, last: stored });
  expect(await store.tallies('appender')).toMatchObject([{ last: stored, stored }]);
  await store.close();
}

describe('a crash', () => {
  it.each([
    { size: 50, batches: [1, 1, 4, 9, 2, 7] },
    // Whole row groups, which do not go through the log.
    { size: 30_000, batches: [1, 2, 3] },
  ])('loses nothing that was stored in batches of $size', async ({ size, batches }) => {
    let acknowledged = 0;
    for (const count of batches) {
      const lines = start(size);
      for (let i = 0; i < count; i++) acknowledged = sequence(await until(lines, 'stored'));
      // The next batch is under way: the kill comes somewhere inside it.
      await kill();
      await expectWhole(acknowledged);
    }
  });
});

describe('a full disk', () => {
  it.each([
    { size: 50, blocks: 6_000 },
    { size: 25_000, blocks: 60_000 },
  ])('stops batches of $size, loses nothing, and goes on with space', async ({ size, blocks }) => {
    // A limit on the size of files is the disk that anyone can fill.
    const limited = `trap "" XFSZ; ulimit -S -f ${blocks}; exec "$@"`;
    const lines = start(size, ['sh', '-c', limited, 'sh']);
    await until(lines, 'unavailable');
    await until(lines, 'unavailable');
    execFileSync('prlimit', [`--pid=${child?.pid}`, '--fsize=unlimited']);
    const acknowledged = sequence(await until(lines, 'stored'));
    await until(lines, 'stored');
    await kill();
    await expectWhole(acknowledged);
  });
});

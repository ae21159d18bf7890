import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { programPath } from './browser-programs.ts';
import { spawnGuarded } from './guarded-process.ts';

const START_TIMEOUT_MS = 20_000;

let display: Promise<Display> | undefined;

/** An X display in memory: its name, and a folder for the files of those who use it. */
export type Display = { name: string; folder: string };

/** The display of this process, which ends with it. */
export function virtualDisplay(): Promise<Display> {
  display ??= startDisplay();
  return display;
}

async function startDisplay(): Promise<Display> {
  const folder = await mkdtemp(join(tmpdir(), 'metronome-display-'));
  const screen = ['-screen', '0', '1280x900x24', '-nolisten', 'tcp'];
  // It takes the first free number and writes it to its standard output.
  const args = ['-displayfd', '1', ...screen];
  const server = spawnGuarded(await programPath('xvfb'), args, { env: process.env, folder });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const number = /^\d+$/m.exec(server.output())?.[0];
    if (number !== undefined) return withWindowManager({ name: `:${number}`, folder });
    if (server.hasEnded() || Date.now() > deadline) throw new Error(server.output());
    await delay(50);
  }
}

/** Windows can only be minimised where a window manager does it. */
async function withWindowManager(started: Display): Promise<Display> {
  const config = join(started.folder, 'jwmrc');
  await writeFile(config, '<JWM></JWM>');
  spawnGuarded(await programPath('windowManager'), ['-f', config], {
    folder: started.folder,
    env: { ...process.env, DISPLAY: started.name },
  });
  return started;
}

/** A data folder on a small disk that fills up, is full when the collector starts, and is freed. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notesOf } from './notes.ts';
import type { RunFacts, RunReport } from './report.ts';
import { play, type Scene, type SceneOptions } from './scene.ts';

/** Twice what the journal leaves to the store, and some. */
const DISK_MB = 192;
const NEARLY_MB = 40;

/** Only root can mount a disk in memory. */
export const canMount: boolean = process.getuid?.() === 0;

export async function diskFull(options: SceneOptions): Promise<RunReport> {
  const disk = mkdtempSync(join(tmpdir(), 'metronome-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'metronome-chaos', disk]);
  try {
    return await play({ ...options, dataDir: join(disk, 'data') }, (scene) =>
      fill(scene, join(disk, 'ballast')),
    );
  } finally {
    execFileSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true, force: true });
  }
}

async function fill(scene: Scene, ballast: string): Promise<Omit<RunFacts, 'title'>> {
  const { notes, expect } = notesOf(scene);
  const { seat } = scene;
  await seat.start().listening;
  await expect('takes events before', scene.takes());

  for (const leaveMb of [NEARLY_MB, 0]) {
    const left = leaveMb === 0 ? 'no space left' : `${leaveMb} MB left`;
    writeBallast(ballast, leaveMb);
    await expect(`${left}: answers 503`, scene.refuses());
    await expect(`${left}: /ready says so`, isReady(scene, false));
    await seat.victim?.kill();
    await seat.start().listening;
    await expect(`${left}: starts after a SIGKILL, and answers 503`, scene.refuses());
    rmSync(ballast);
    await expect(`${left}: goes on by itself when there is space again`, scene.takes());
    await expect('/ready again', isReady(scene, true));
  }
  return { notes, kills: 2 };
}

/** Fills the disk up to so many megabytes; to the last byte with 0. */
function writeBallast(path: string, leaveMb: number): void {
  const file = openSync(path, 'w');
  for (let chunk = 1024 * 1024; chunk >= 1;) {
    const { bavail, bsize } = statfsSync(path);
    if (leaveMb > 0 && bavail * bsize <= leaveMb * 1024 * 1024) break;
    try {
      writeSync(file, Buffer.alloc(chunk));
    } catch {
      chunk = Math.floor(chunk / 2);
    }
  }
  closeSync(file);
}

async function isReady({ seat: { url } }: Scene, expected: boolean): Promise<boolean> {
  const response = await fetch(`${url}/ready`);
  const { parts }: { parts: { journal: { ready: boolean } } } = JSON.parse(await response.text());
  return parts.journal.ready === expected && (expected || response.status === 503);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished } from 'vitest';
import { type Journal, type JournalOptions, openJournal } from '../../src/journal/journal.ts';
import { nodeDisk } from '../../src/journal/node-disk.ts';
import { SimulatedClock } from './simulated-clock.ts';

/** A folder of its own that goes when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'metronome-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A journal on the real disk, of this folder or a new one. */
export async function openTestJournal(options: Partial<JournalOptions> = {}): Promise<Journal> {
  return openJournal({
    folder: options.folder ?? (await temporaryFolder()),
    disk: nodeDisk,
    clock: new SimulatedClock(),
    log: pino({ level: 'silent' }),
    newId: () => 'abc',
    journalBytesMax: 1024 * 1024,
    freeBytesMin: 0,
    ...options,
  });
}

/** Lines as intake makes them. */
export function linesOf(count: number, fields: Readonly<Record<string, unknown>> = {}): string[] {
  return Array.from({ length: count }, (_, index) =>
    JSON.stringify({ '@timestamp': '2026-11-23T22:00:00.000Z', n: index, ...fields }),
  );
}

export const EVERYTHING = { eventsMax: 1_000_000, bytesMax: 64 * 1024 * 1024 };

/** `expect.poll` with patience for a busy machine. */
export function eventually<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: 30_000, interval: 5 });
}

import { createReadStream, statSync } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parseArguments } from './arguments.ts';
import { readConfig } from '../config.ts';
import { MetronomeError } from '../errors.ts';
import type { Restored, RestoreOutcome } from '../http/restore.ts';
import type { PlaceRange } from '../journal/journal.ts';
import type { Command } from './command.ts';
import { type Ask, speaking } from './speak.ts';

/** Of one request, in UTF-16 units. */
const PIECE_LENGTH = 1024 * 1024;
/** No event is longer, in UTF-16 units: what has no end of a line for so long is no NDJSON. */
const LINE_LENGTH_MAX = 32 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Places of one request. */
const RANGES_MAX = 1_000;

/**
 * `metronome restore`: files of the archive and of exports. Exits with 1 when it could not read
 * all of them.
 */
export const restore: Command = {
  usage: 'restore FILE...',
  meaning:
    'bring archived or exported events back, those that are not there; the oldest file first',
  run: async (args) => {
    const { positionals: files } = parseArguments({ args: [...args], allowPositionals: true });
    if (files.length === 0) throw new MetronomeError('config', 'Say metronome restore FILE...');
    files.forEach(checkFile);
    const sums = { appended: 0, stored: 0, expired: 0, troubles: 0 };
    await speaking(await readConfig(), async (ask) => {
      const ranges: PlaceRange[] = [];
      for (const file of files) await restoreFile(ask, file, sums, ranges);
      sums.stored = await storedOf(ask, ranges);
    });
    process.stdout.write(`${sentence(sums)}\n`);
    return sums.troubles === 0 ? 0 : 1;
  },
};

/** What became of the lines of all files. */
interface Sums {
  appended: number;
  stored: number;
  expired: number;
  /** Lines that are no events, and files that could not be read to their end. */
  troubles: number;
}

/** Before anything is restored: a wrong name is not found out hours later. */
function checkFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) return;
  throw new MetronomeError('config', `${file} is no file.`);
}

async function restoreFile(
  ask: Ask,
  file: string,
  sums: Sums,
  ranges: PlaceRange[],
): Promise<void> {
  try {
    for await (const { firstLine, text } of piecesOf(file)) {
      const restored = await send(ask, text, `${file}:${firstLine}`);
      sums.appended += restored.appended;
      sums.expired += restored.expired;
      for (const { index, reason } of restored.refused) {
        complain(sums, `${file}:${firstLine + index}: ${reason}`);
      }
      if (restored.places !== undefined) addRange(ranges, restored.places);
    }
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    complain(sums, `${file}:${error.line}: ${error.message}`);
  }
}

function complain(sums: Sums, trouble: string): void {
  sums.troubles += 1;
  process.stderr.write(`metronome: ${trouble}\n`);
}

async function send(ask: Ask, text: string, where: string): Promise<Restored> {
  try {
    return JSON.parse(await ask('POST', '/restore', text));
  } catch (cause) {
    if (!(cause instanceof MetronomeError)) throw cause;
    const message = `${cause.message} The restore ended before ${where}; begin it again when that is mended, nothing counts twice.`;
    throw new MetronomeError(cause.code, message, { cause });
  }
}

/** Neighbours become one: nearly always it is one range for all. */
function addRange(ranges: PlaceRange[], { first, last }: PlaceRange): void {
  const before = ranges.at(-1);
  if (before?.last !== first - 1) ranges.push({ first, last });
  else ranges.splice(-1, 1, { first: before.first, last });
}

async function storedOf(ask: Ask, ranges: readonly PlaceRange[]): Promise<number> {
  let sum = 0;
  for (let start = 0; start < ranges.length; start += RANGES_MAX) {
    const some = JSON.stringify(ranges.slice(start, start + RANGES_MAX));
    const { stored }: RestoreOutcome = JSON.parse(await ask('POST', '/restore/outcome', some));
    sum += stored;
  }
  return sum;
}

function sentence({ appended, stored, expired, troubles }: Sums): string {
  const others = appended - stored;
  return [
    `${stored} ${stored === 1 ? 'event' : 'events'} restored.`,
    ...(others > 0 ? [`There already, erased or not to be stored: ${others}.`] : []),
    ...(expired > 0 ? [`Older than the retention: ${expired}.`] : []),
    ...(troubles > 0 ? ['Not everything could be read.'] : []),
  ].join(' ');
}

/** Whole lines. */
interface Piece {
  /** Number of the first one in its file, from 1 on. */
  readonly firstLine: number;
  readonly text: string;
}

class BrokenFile extends Error {
  readonly line: number;

  constructor(line: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.line = line;
  }
}

/** @throws BrokenFile after the last whole line that could be read. */
async function* piecesOf(file: string): AsyncGenerator<Piece> {
  let firstLine = 1;
  let text = '';
  const cut = (end: number): Piece => {
    const piece = { firstLine, text: text.slice(0, end) };
    firstLine += piece.text.split('\n').length - 1;
    text = text.slice(end);
    return piece;
  };
  try {
    for await (const chunk of textOf(file)) {
      text += String(chunk);
      if (text.length < PIECE_LENGTH) continue;
      const end = text.lastIndexOf('\n') + 1;
      if (end > 0) yield cut(end);
      else if (text.length > LINE_LENGTH_MAX) throw new Error('too long for an event');
    }
  } catch (error) {
    if (text.includes('\n')) yield cut(text.lastIndexOf('\n') + 1);
    throw new BrokenFile(firstLine, error);
  }
  if (text !== '') yield cut(text.length);
}

function textOf(file: string): Readable {
  const bytes = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  if (!file.endsWith('.gz')) return bytes.setEncoding('utf8');
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  // Whoever reads the end of it meets what goes wrong.
  pipeline(bytes, unpacked, () => undefined);
  return unpacked.setEncoding('utf8');
}

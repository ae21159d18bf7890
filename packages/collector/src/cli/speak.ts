import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { type Collector, openCollector } from '../collector.ts';
import type { Config } from '../config.ts';
import { MetronomeError } from '../errors.ts';

const SOCKET_NAME = 'metronome.sock';
/** Of the address of a socket, on the system that allows the least. */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * The socket in the data folder on which a running collector takes commands.
 *
 * @throws MetronomeError `config` when its path is longer than the system allows.
 */
export function commandSocket({ settings }: Config): string {
  const path = join(settings.METRONOME_DATA_DIR, SOCKET_NAME);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  const message = `${path} is too long for a socket, which may have ${SOCKET_PATH_BYTES_MAX} bytes: give METRONOME_DATA_DIR a shorter path, or one from the working folder.`;
  throw new MetronomeError('config', message);
}

interface Answer {
  readonly status: number;
  readonly body: Readable;
}

/** One request to the owner of the data folder. `path` is a route of `commands`. */
export type Ask = (method: 'GET' | 'POST', path: string, body?: string) => Promise<string>;

/**
 * Asks the collector that owns the data folder; where none runs, opens the folder for this one
 * request.
 *
 * @throws MetronomeError with the sentence of the answer when it is not a success.
 */
export function speak(config: Config, method: 'GET' | 'POST', path: string): Promise<string> {
  return speakStreaming(config, method, path, text);
}

/** As `speak`, for an answer of any length: `take` reads it as it comes. */
export function speakStreaming<T>(
  config: Config,
  method: 'GET' | 'POST',
  path: string,
  take: (body: Readable) => Promise<T>,
): Promise<T> {
  return withOwner(config, async (owner) => success(await owner(method, path), take));
}

/** As `speak`, for several requests: where no collector runs, the folder is opened once for all. */
export function speaking<T>(config: Config, talk: (ask: Ask) => Promise<T>): Promise<T> {
  return withOwner(config, (owner) =>
    talk(async (method, path, body) => success(await owner(method, path, body), text)),
  );
}

/** @throws MetronomeError `unavailable` where no collector runs. */
export async function checkRuns(config: Config): Promise<void> {
  // Any answer will do, and this one costs nothing.
  const answer = await askSocket(config, 'GET', '/', undefined);
  answer?.body.resume();
  if (answer !== undefined) return;
  const folder = config.settings.METRONOME_DATA_DIR;
  const message = `No collector runs on ${folder}, and only it counts: start it with metronome start.`;
  throw new MetronomeError('unavailable', message);
}

type Owner = (method: string, path: string, body?: string) => Promise<Answer>;

async function withOwner<T>(config: Config, use: (owner: Owner) => Promise<T>): Promise<T> {
  let opened: Collector | undefined;
  const owner: Owner = async (method, path, sent) => {
    const running = opened ? undefined : await askSocket(config, method, path, sent);
    if (running) return running;
    opened ??= await openFolder(config);
    const init = sent === undefined ? { method } : { method, body: sent };
    const { status, body } = await opened.commands.request(path, init);
    return { status, body: Readable.from(body ?? []) };
  };
  try {
    return await use(owner);
  } finally {
    await opened?.close();
  }
}

async function askSocket(
  config: Config,
  method: string,
  path: string,
  sent: string | undefined,
): Promise<Answer | undefined> {
  const asked = request({ socketPath: commandSocket(config), method, path });
  asked.end(sent);
  try {
    const [body] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: body.statusCode ?? 500, body };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    const folder = config.settings.METRONOME_DATA_DIR;
    if (code === 'ECONNRESET') {
      const message = `The collector of ${folder} ended before it answered, with perhaps a part done: repeat the command.`;
      throw new MetronomeError('unavailable', message, { cause: error });
    }
    const message = `The collector of ${folder} cannot be asked (${String(code)}); be the user that runs it.`;
    throw new MetronomeError('config', message, { cause: error });
  }
}

/** A command reads what is there: in a wrong folder it must not begin a new journal. */
async function openFolder(config: Config): Promise<Collector> {
  const { METRONOME_DATA_DIR: folder } = config.settings;
  if (existsSync(join(folder, 'journal'))) {
    return openCollector(config, pino({ level: 'silent' }), { isForCommand: true });
  }
  const message = `${folder} is no data folder; set METRONOME_DATA_DIR to that of the collector.`;
  throw new MetronomeError('config', message);
}

async function success<T>(
  { status, body }: Answer,
  take: (body: Readable) => Promise<T>,
): Promise<T> {
  if (status < 400) return take(body);
  throw new MetronomeError('bad-request', sentence(await text(body)));
}

function sentence(problem: string): string {
  const parsed: unknown = JSON.parse(problem);
  const detail =
    typeof parsed === 'object' && parsed !== null && 'detail' in parsed && parsed.detail;
  return typeof detail === 'string' ? detail : problem;
}

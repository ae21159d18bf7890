import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { openCollector } from '../collector.ts';
import type { Config } from '../config.ts';
import { MetronomeError } from '../errors.ts';

/** The socket in the data folder on which a running collector takes commands. */
export const SOCKET_NAME = 'metronome.sock';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks the collector that owns the data folder; where none runs, opens the folder for this one
 * request. `path` is a route of `commands`.
 *
 * @throws MetronomeError with the sentence of the answer when it is not a success.
 */
export async function speak(config: Config, method: 'GET' | 'POST', path: string): Promise<string> {
  const running = await askSocket(config, method, path);
  const { status, body } = running ?? (await askOpened(config, method, path));
  if (status < 400) return body;
  throw new MetronomeError('bad-request', sentence(body));
}

async function askSocket(
  config: Config,
  method: string,
  path: string,
): Promise<Answer | undefined> {
  const socketPath = join(config.settings.METRONOME_DATA_DIR, SOCKET_NAME);
  const asked = request({ socketPath, method, path });
  asked.end();
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 500, body: await text(response) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

async function askOpened(config: Config, method: string, path: string): Promise<Answer> {
  const collector = await openCollector(config, pino({ level: 'silent' }));
  try {
    const response = await collector.commands.request(path, { method });
    return { status: response.status, body: await response.text() };
  } finally {
    await collector.close();
  }
}

function sentence(problem: string): string {
  const parsed: unknown = JSON.parse(problem);
  const detail =
    typeof parsed === 'object' && parsed !== null && 'detail' in parsed && parsed.detail;
  return typeof detail === 'string' ? detail : problem;
}

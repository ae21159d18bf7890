import { once } from 'node:events';
import { chmodSync, rmSync, statSync } from 'node:fs';
import { type RequestListener, Server } from 'node:http';
import { type Logger, pino } from 'pino';
import { parseArguments } from './arguments.ts';
import { type Collector, openCollector } from '../collector.ts';
import { type Config, readConfig } from '../config.ts';
import { MetronomeError } from '../errors.ts';
import { listenerOf } from '../http/app.ts';
import { endUnread, inTurn } from '../http/unread.ts';
import { answerClientError } from '../http/unreadable.ts';
import type { Command } from './command.ts';
import { commandSocket } from './speak.ts';

/**
 * Slow clients are cut off: time for the headers, for a whole request, to read on in an answer, and
 * between requests.
 */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const UNREAD_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const STOP_TIMEOUT_MS = 10_000;

/** `metronome start`: runs the collector until SIGTERM or SIGINT. */
export const start: Command = {
  usage: 'start [--example DIR]',
  meaning: 'run the collector; --example serves a folder of pages under /example/',
  run: async (args) => {
    const { values } = parseArguments({
      args: [...args],
      options: { example: { type: 'string' } },
    });
    checkFolder(values.example);
    const config = await readConfig();
    const log = pino({ level: config.settings.METRONOME_LOG_LEVEL });
    const socket = commandSocket(config);
    const collector = await openCollector(config, log, { exampleDir: values.example });
    // Before anybody learns that it listens, and may tell it to stop.
    const stop = stopSignal();
    const servers = await listenAll(collector, config, socket, log);
    const signal = await stop;
    log.info({ signal }, 'stopping');
    await Promise.all(servers.map(stopServer));
    await collector.close();
    log.info('stopped');
    return 0;
  },
};

function checkFolder(example: string | undefined): void {
  if (example === undefined || statSync(example, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new MetronomeError('config', `--example names ${example}, which is no folder.`);
}

async function listenAll(
  collector: Collector,
  config: Config,
  socket: string,
  log: Logger,
): Promise<Server[]> {
  const { METRONOME_HOST: host, METRONOME_PORT: port } = config.settings;
  const server = createServer(inTurn(collector.listener));
  endUnread(server, UNREAD_TIMEOUT_MS);
  const commands = createServer(listenerOf(collector.commands));
  try {
    await listen(server, { host, port });
    await listenOnSocket(commands, socket);
  } catch (error) {
    server.close();
    await collector.close();
    throw listenError(error, host, port);
  }
  const address = server.address();
  const bound = typeof address === 'object' ? (address?.port ?? port) : port;
  const name = host.includes(':') ? `[${host}]` : host;
  log.info({ url: `http://${name}:${bound}`, store: config.settings.METRONOME_STORE }, 'listening');
  return [server, commands];
}

/** Who may read the data folder may speak to the collector, and nobody else. */
async function listenOnSocket(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  await listen(server, { path });
  chmodSync(path, 0o600);
}

function createServer(listener: RequestListener): Server {
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS };
  const server = new Server(timeouts, listener);
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.on('clientError', answerClientError);
  return server;
}

async function listen(
  server: Server,
  where: { path: string } | { host: string; port: number },
): Promise<void> {
  server.listen(where);
  await once(server, 'listening');
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const notOurs = `${host} is not an address of this machine; set METRONOME_HOST.`;
  const sentence = {
    EADDRINUSE: `Port ${port} of ${host} is in use; stop what uses it or set METRONOME_PORT.`,
    EACCES: `Port ${port} of ${host} is not for this user; set METRONOME_PORT above 1023.`,
    EADDRNOTAVAIL: notOurs,
    ENOTFOUND: notOurs,
    EAI_AGAIN: notOurs,
  }[String(code)];
  return sentence === undefined ? error : new MetronomeError('config', sentence, { cause: error });
}

async function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => resolve(signal));
  });
}

/** Lets the requests under way finish; those that take too long are cut off. */
async function stopServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}

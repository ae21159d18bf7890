import { MetronomeError } from '../errors.ts';
import { audit } from './audit.ts';
import type { Command } from './command.ts';
import { erase } from './erase.ts';
import { explain } from './explain.ts';
import { exportEvents } from './export.ts';
import { rejects } from './rejects.ts';
import { rollups } from './rollups.ts';
import { start } from './start.ts';
import { tock } from './tock.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  start,
  tock,
  explain,
  audit,
  rejects,
  rollups,
  export: exportEvents,
  erase,
};

/**
 * Runs one command line and resolves with its exit code: 0, 1 when the command found something
 * wrong, 2 when the command line or a setting is.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (['help', '--help', '-h'].includes(name)) return help();
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  try {
    if (command === undefined) {
      throw new MetronomeError('config', `"${name}" is no command; see metronome help.`);
    }
    return await command.run(rest);
  } catch (error) {
    if (!(error instanceof MetronomeError) && !isArgumentError(error)) throw error;
    process.stderr.write(`metronome: ${error.message}\n`);
    return error instanceof MetronomeError && error.code !== 'config' ? 1 : 2;
  }
}

function help(): number {
  const width = Math.max(...Object.values(COMMANDS).map(({ usage }) => usage.length)) + 2;
  const lines = Object.values(COMMANDS).map(
    ({ usage, meaning }) => `  metronome ${usage.padEnd(width)}${meaning}`,
  );
  process.stdout.write(`Usage\n${lines.join('\n')}\n\nSettings are read from the environment.\n`);
  return 0;
}

function isArgumentError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  );
}

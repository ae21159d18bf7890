import { readFileSync } from 'node:fs';
import { MetronomeError } from '../errors.ts';
import { nearest } from '../query/nearest.ts';
import { audit } from './audit.ts';
import type { Command } from './command.ts';
import { erase } from './erase.ts';
import { explain } from './explain.ts';
import { exportEvents } from './export.ts';
import { rejects } from './rejects.ts';
import { restore } from './restore.ts';
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
  restore,
};

/**
 * Runs one command line and resolves with its exit code: 0, 1 when the command found something
 * wrong, 2 when the command line or a setting is.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (HELP.includes(name))
    return print(`Usage\n${Object.values(COMMANDS).map(helpOf).join('')}`, MORE);
  if (name === '--version') return print(version());
  try {
    const command = commandNamed(name);
    return rest.some((arg) => arg === '--help' || arg === '-h')
      ? print(`Usage\n${helpOf(command)}`)
      : await command.run(rest);
  } catch (error) {
    if (!(error instanceof MetronomeError) && !isArgumentError(error)) throw error;
    process.stderr.write(`metronome: ${error.message}\n`);
    return error instanceof MetronomeError && error.code !== 'config' ? 1 : 2;
  }
}

const HELP: readonly string[] = ['help', '--help', '-h'];
const MORE = '\nSettings are read from the environment; docs/settings.md lists them.\n';

function commandNamed(name: string): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command;
  const near = nearest(name, Object.keys(COMMANDS));
  const hint = near === undefined ? 'see metronome help.' : `did you mean ${near}?`;
  throw new MetronomeError('config', `"${name}" is no command; ${hint}`);
}

function helpOf({ usage, meaning }: Command): string {
  return `  metronome ${usage}\n      ${meaning}\n`;
}

function print(...texts: readonly string[]): number {
  process.stdout.write(texts.join(''));
  return 0;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version: text }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return `${text}\n`;
}

function isArgumentError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  );
}

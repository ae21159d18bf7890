import { parseArguments } from './arguments.ts';
import { readConfig } from '../config.ts';
import type { RejectEntry } from '../delivery/reject-log.ts';
import { MetronomeError } from '../errors.ts';
import type { Command } from './command.ts';
import { speak } from './speak.ts';

/** `metronome rejects list`, `metronome rejects retry`: acknowledged events that no store takes. */
export const rejects: Command = {
  usage: 'rejects list [--json] | retry',
  meaning: 'events that could not be stored, with their reasons; retry delivers them again',
  run: async (args) => {
    const { values, positionals } = parseArguments({
      args: [...args],
      options: { json: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [action, ...more] = positionals;
    if (more.length === 0 && action === 'list') return list(values.json === true);
    if (more.length === 0 && action === 'retry' && values.json === undefined) return retry();
    throw new MetronomeError('config', 'Say metronome rejects list or metronome rejects retry.');
  },
};

async function list(json: boolean): Promise<number> {
  const answer = await speak(await readConfig(), 'GET', '/rejects');
  const entries: readonly RejectEntry[] = JSON.parse(answer);
  const lines = entries.map((entry) => (json ? JSON.stringify(entry) : sentence(entry)));
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}

function sentence({ at, collector, sequence, last, reason, retried }: RejectEntry): string {
  const place = last === undefined || last === sequence ? `${sequence}` : `${sequence}-${last}`;
  const mark = retried === undefined ? '' : ` (retried ${retried})`;
  return `${at} ${collector}:${place} ${reason}${mark}`;
}

async function retry(): Promise<number> {
  const answer = await speak(await readConfig(), 'POST', '/rejects/retry');
  const { retried }: { retried: number } = JSON.parse(answer);
  process.stdout.write(
    `${retried} rejected ${retried === 1 ? 'event' : 'events'} appended anew.\n`,
  );
  return 0;
}

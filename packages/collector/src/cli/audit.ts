import { parseArguments } from './arguments.ts';
import { readConfig } from '../config.ts';
import type { Audit, AuditDay } from '../delivery/audit.ts';
import type { Command } from './command.ts';
import { speak } from './speak.ts';
import { table } from './table.ts';

type Count = Exclude<keyof AuditDay, 'day' | 'differences'>;

/** Columns with their titles: acknowledged is the sum of those that follow it. */
const COLUMNS = [
  ['acknowledged', 'acknowledged'],
  ['stored', 'stored'],
  ['duplicates', 'duplicate'],
  ['rejected', 'rejected'],
  ['waiting', 'waiting'],
  ['erased', 'erased'],
  ['expired', 'expired'],
] as const satisfies readonly (readonly [Count, string])[];

/** `metronome audit`: exits with 1 when journal and store do not agree. */
export const audit: Command = {
  usage: 'audit [--json]',
  meaning: 'what became of every acknowledged event, by day of receipt; exits 1 on a difference',
  run: async (args) => {
    const { values } = parseArguments({ args: [...args], options: { json: { type: 'boolean' } } });
    const config = await readConfig();
    const found: Audit = JSON.parse(await speak(config, 'GET', '/audit'));
    const text =
      values.json === true
        ? JSON.stringify(found, undefined, 2)
        : report(found, config.settings.METRONOME_STORE);
    process.stdout.write(`${text}\n`);
    return found.agrees ? 0 : 1;
  },
};

function report({ collector, days, differences, agrees }: Audit, store: string): string {
  const titles = ['day', ...COLUMNS.map(([, title]) => title)];
  const rows = days.map((day) => [day.day, ...COLUMNS.map(([name]) => String(day[name]))]);
  const sum = (name: Count): number => days.reduce((total, day) => total + day[name], 0);
  const total = ['total', ...COLUMNS.map(([name]) => String(sum(name)))];
  const named = [
    ...days.flatMap((day) => day.differences.map((difference) => `${day.day}: ${difference}`)),
    ...differences,
  ];
  return [
    `Journal ${collector} and its store, ${store}, by UTC day of receipt`,
    '',
    table([titles, ...rows, total]),
    '',
    ...(agrees ? ['Everything agrees.'] : named),
  ].join('\n');
}

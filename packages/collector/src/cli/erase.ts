import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import type { Command } from './command.ts';
import { SELECTION_OPTIONS, SELECTION_USAGE, selectionParameters } from './selection.ts';
import { speak } from './speak.ts';

/** `metronome erase`: without `--yes` it only counts, and exits with 1. */
export const erase: Command = {
  usage: `erase ${SELECTION_USAGE} [--yes]`,
  meaning: 'erase events for good; without --yes it only says how many',
  run: async (args) => {
    const options = { ...SELECTION_OPTIONS, yes: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const config = await readConfig();
    const parameters = selectionParameters(values);
    if (values.yes !== true) {
      const answer = await speak(config, 'GET', `/selected/count?${parameters}`);
      const { events }: { events: number } = JSON.parse(answer);
      process.stdout.write(`${eventsOf(events)} would be erased; --yes erases.\n`);
      return 1;
    }
    const answer = await speak(config, 'POST', `/selected/erase?${parameters}`);
    const { erased }: { erased: number } = JSON.parse(answer);
    process.stdout.write(
      `${eventsOf(erased)} erased. Archived files and the reject log are not touched.\n`,
    );
    return 0;
  },
};

function eventsOf(count: number): string {
  return `${count} ${count === 1 ? 'event' : 'events'}`;
}

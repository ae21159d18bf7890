import { parseArguments } from './arguments.ts';
import { type Config, readConfig } from '../config.ts';
import type { Command } from './command.ts';
import {
  SELECTION_OPTIONS,
  SELECTION_USAGE,
  type Selected,
  selectionParameters,
} from './selection.ts';
import { speak } from './speak.ts';

/** `metronome erase`: without `--yes` it only counts, and exits with 1. */
export const erase: Command = {
  usage: `erase ${SELECTION_USAGE} [--yes]`,
  meaning: 'erase events for good; without --yes it only says how many',
  run: async (args) => {
    const options = { ...SELECTION_OPTIONS, yes: { type: 'boolean' } } as const;
    const { values } = parseArguments({ args: [...args], options });
    const config = await readConfig();
    const parameters = selectionParameters(values);
    const more = goesToo(config, values);
    if (values.yes !== true) {
      const answer = await speak(config, 'GET', `/selected/count?${parameters}`);
      const { events }: { events: number } = JSON.parse(answer);
      process.stdout.write(`${eventsOf(events)} would be erased; --yes erases.\n${more}`);
      return 1;
    }
    const answer = await speak(config, 'POST', `/selected/erase?${parameters}`);
    const { erased }: { erased: number } = JSON.parse(answer);
    process.stdout.write(
      `${eventsOf(erased)} erased. Archived files and the reject log are not touched.\n${more}`,
    );
    return 0;
  },
};

/** Nobody can tell any more whose the counts of dropped events are, but of which item. */
function goesToo({ settings }: Config, { item, visitor }: Selected): string {
  const { METRONOME_RETENTION_DAYS: days, METRONOME_ROLLUP_RETENTION_DAYS: countsDays } = settings;
  const outlive = countsDays !== undefined && countsDays !== days;
  if (!outlive || item === undefined || visitor !== undefined) return '';
  return 'With them go the counts of the item on days whose events were dropped.\n';
}

function eventsOf(count: number): string {
  return `${count} ${count === 1 ? 'event' : 'events'}`;
}

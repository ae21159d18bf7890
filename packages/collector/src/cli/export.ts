import { pipeline } from 'node:stream/promises';
import { parseArguments } from './arguments.ts';
import { readConfig } from '../config.ts';
import { MetronomeError } from '../errors.ts';
import type { Command } from './command.ts';
import { SELECTION_OPTIONS, SELECTION_USAGE, selectionParameters } from './selection.ts';
import { speakStreaming } from './speak.ts';

/** `metronome export`: the events as they are stored, oldest first, as NDJSON. */
export const exportEvents: Command = {
  usage: `export ${SELECTION_USAGE}`,
  meaning: 'print events as NDJSON, oldest first',
  run: async (args) => {
    const { values } = parseArguments({ args: [...args], options: SELECTION_OPTIONS });
    const path = `/selected/export?${selectionParameters(values)}`;
    await speakStreaming(await readConfig(), 'GET', path, async (body) => {
      try {
        await pipeline(body, process.stdout, { end: false });
      } catch (cause) {
        throw new MetronomeError('unavailable', 'The export broke off; it is not whole.', {
          cause,
        });
      }
    });
    return 0;
  },
};

import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { MetronomeError } from '../errors.ts';
import { indent } from '../indent.ts';
import type { Command } from './command.ts';
import { REQUEST_OPTIONS, requestParameters } from './request-options.ts';
import { speak } from './speak.ts';

/** `metronome tock ID`: the answer of `GET /tock/ID.json`, indented. */
export const tock: Command = {
  usage: 'tock ID [--from DAY] [--to DAY]',
  meaning:
    'views, downloads and referers of an item; also --tz, --interval, --limit, --app, --bots',
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: REQUEST_OPTIONS,
      allowPositionals: true,
    });
    const [id, ...more] = positionals;
    if (id === undefined || more.length > 0) {
      throw new MetronomeError('config', 'Name one item: metronome tock ID.');
    }
    const path = `/tock/${encodeURIComponent(id)}.json?${requestParameters(values)}`;
    const answer = await speak(await readConfig(), 'GET', path);
    process.stdout.write(`${indent(answer)}\n`);
    return 0;
  },
};

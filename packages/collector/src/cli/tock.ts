import { readConfig } from '../config.ts';
import { indent } from '../indent.ts';
import type { Command } from './command.ts';
import { parseRequestArgs, queryOf } from './request-options.ts';
import { speak } from './speak.ts';

/** `metronome tock ID`: the answer of `GET /tock/ID.json`, indented. */
export const tock: Command = {
  usage: 'tock ID [--from DAY] [--to DAY]',
  meaning:
    'views, downloads and referers of an item; also --tz, --interval, --limit, --app, --bots',
  run: async (args) => {
    const { name, options } = parseRequestArgs(args, 'Name one item: metronome tock ID.');
    const path = `/tock/${encodeURIComponent(name)}.json?${queryOf(options)}`;
    const answer = await speak(await readConfig(), 'GET', path);
    process.stdout.write(`${indent(answer)}\n`);
    return 0;
  },
};

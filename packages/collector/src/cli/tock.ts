import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { MetronomeError } from '../errors.ts';
import type { Command } from './command.ts';
import { speak } from './speak.ts';

const text = { type: 'string' } as const;
const OPTIONS = {
  from: text,
  to: text,
  tz: text,
  interval: text,
  limit: text,
  app: text,
  bots: text,
};

/** `metronome tock ID`: the answer of `GET /tock/ID.json`, indented. */
export const tock: Command = {
  usage: 'tock ID [--from DAY] [--to DAY]',
  meaning:
    'views, downloads and referers of an item; also --tz, --interval, --limit, --app, --bots',
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: OPTIONS,
      allowPositionals: true,
    });
    const [id, ...more] = positionals;
    if (id === undefined || more.length > 0) {
      throw new MetronomeError('config', 'Name one item: metronome tock ID.');
    }
    const query = new URLSearchParams(values);
    const path = `/tock/${encodeURIComponent(id)}.json?${query.toString()}`;
    const answer = await speak(await readConfig(), 'GET', path);
    process.stdout.write(`${indent(answer)}\n`);
    return 0;
  },
};

/** Indents JSON text as it stands: parsing it would put integer-like keys first. */
function indent(json: string): string {
  let depth = 0;
  const pad = (): string => `\n${'  '.repeat(depth)}`;
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}[\],:]/gu, (token) => {
    if (token === '{' || token === '[') {
      depth += 1;
      return token + pad();
    }
    if (token === '}' || token === ']') {
      depth -= 1;
      return pad() + token;
    }
    if (token === ',') return token + pad();
    return token === ':' ? ': ' : token;
  });
}

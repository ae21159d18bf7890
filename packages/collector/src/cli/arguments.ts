import { parseArgs, type ParseArgsConfig } from 'node:util';
import { MetronomeError } from '../errors.ts';

/**
 * Node's `parseArgs`, which also refuses an option that is given twice: of several the last would
 * hold, and nobody would be told. Throws `config`.
 */
export function parseArguments<Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  const { tokens = [] } = parseArgs({ ...config, tokens: true });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (seen.has(token.name)) throw new MetronomeError('config', `Give ${token.rawName} once.`);
    seen.add(token.name);
  }
  return parseArgs(config);
}

import { parseArguments } from './arguments.ts';
import { MetronomeError } from '../errors.ts';
import { parametersSchema } from '../tock/parameters.ts';

type TextOptions = Readonly<Record<string, { readonly type: 'string' }>>;

/** The parameters of a request, which are options of a command. */
const PARAMETERS = Object.keys(parametersSchema.shape);

export interface RequestArgs {
  /** The one thing that is named. */
  readonly name: string;
  readonly options: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads a command line of one name and the parameters of a request as options, and `more` options.
 * Throws `config` with the sentence where it names another number of things.
 */
export function parseRequestArgs(
  args: readonly string[],
  sentence: string,
  more: readonly string[] = [],
): RequestArgs {
  const options: TextOptions = Object.fromEntries(
    [...PARAMETERS, ...more].map((option) => [option, { type: 'string' } as const]),
  );
  const read = parseArguments({ args: [...args], options, allowPositionals: true });
  const [name, ...others] = read.positionals;
  if (name === undefined || others.length > 0) throw new MetronomeError('config', sentence);
  return { name, options: read.values };
}

/** Options as the query of a URL. */
export function queryOf(options: RequestArgs['options']): string {
  const given = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return new URLSearchParams(given).toString();
}

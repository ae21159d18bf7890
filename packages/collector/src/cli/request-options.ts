import { parametersSchema } from '../tock/parameters.ts';

/** The parameters of a request as options of a command. */
export const REQUEST_OPTIONS: Readonly<Record<string, { readonly type: 'string' }>> =
  Object.fromEntries(
    Object.keys(parametersSchema.shape).map((name) => [name, { type: 'string' } as const]),
  );

/** The options that were given, as the query of a URL. */
export function requestParameters(values: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(values).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return new URLSearchParams(given).toString();
}

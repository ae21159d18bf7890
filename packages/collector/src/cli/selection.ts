import type { ParseArgsOptionsConfig } from 'node:util';
import { MetronomeError } from '../errors.ts';

const text = { type: 'string' } as const;

/** Options that name events; all given ones must hold. */
export const SELECTION_OPTIONS = {
  app: text,
  visitor: text,
  item: text,
  from: text,
  to: text,
} as const satisfies ParseArgsOptionsConfig;

export const SELECTION_USAGE = '[--app APP] [--visitor ID] [--item ID] [--from DAY] [--to DAY]';

export type Selected = { readonly [Name in keyof typeof SELECTION_OPTIONS]?: string | undefined };

/**
 * The options as parameters of the routes under `/selected`.
 *
 * @throws MetronomeError `config` when none is given, which would name everything.
 */
export function selectionParameters({ app, visitor, item, from, to }: Selected): string {
  const given = Object.entries({ app, visitor, item, from, to }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  if (given.length === 0) {
    throw new MetronomeError('config', `Say which events: ${SELECTION_USAGE}.`);
  }
  return new URLSearchParams(given).toString();
}

import type { ZodError } from 'zod';
import { MetronomeError } from '../errors.ts';
import { hintFor } from '../query/nearest.ts';
import {
  type ParameterName,
  type Parameters,
  parametersSchema,
  type ScopeName,
  scopeSchema,
} from './parameters.ts';

/** What a statistic is asked about, and how. */
export interface Request extends Omit<Parameters, 'tz'> {
  readonly scope: RequestScope;
  readonly timeZone: string;
}

/** `items` answers one object keyed by id, the others one answer. */
export type RequestScope = Scope | { readonly kind: 'items'; readonly items: readonly string[] };

export type Scope =
  | { readonly kind: 'item'; readonly item: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'site' };

/** What a request may say, and what it means where it does not. */
export interface RequestRules {
  readonly names: readonly ParameterName[];
  /** What narrows the site; of a single item nothing does. */
  readonly scopes?: readonly ScopeName[];
  /** IANA zone. */
  readonly timeZone: string;
}

/**
 * Reads the parameters of a statistic of an item, or of the site without one. Throws `bad-request`
 * with a sentence that says what to write instead.
 */
export function parseRequest(
  item: string | undefined,
  parameters: URLSearchParams,
  { names, scopes = ['item', 'prefix'], timeZone }: RequestRules,
): Request {
  const known = item === undefined ? [...names, ...scopes] : names;
  for (const name of parameters.keys()) checkName(name, known);
  const { scope, rest } = parseScope(item, parameters);
  const read = parametersSchema.safeParse(single(rest));
  if (!read.success) refuse(messageOf(read.error));
  const { tz, ...others } = read.data;
  return { ...others, scope, timeZone: tz ?? timeZone };
}

function parseScope(
  own: string | undefined,
  parameters: URLSearchParams,
): { readonly scope: RequestScope; readonly rest: readonly (readonly [string, string])[] } {
  if (own === '') refuse(NO_ITEM);
  if (own !== undefined) return { scope: { kind: 'item', item: own }, rest: [...parameters] };
  const rest = [...parameters].filter(([name]) => name !== 'item' && name !== 'prefix');
  const [prefix, ...more] = parameters.getAll('prefix');
  if (more.length > 0) refuse('give prefix once');
  const item = [...new Set(parameters.getAll('item'))];
  if (item.includes('')) refuse(NO_ITEM);
  const read = scopeSchema.safeParse({ item, prefix });
  if (!read.success) refuse(messageOf(read.error));
  if (prefix !== undefined && item.length > 0) refuse('give either item or prefix, not both');
  if (prefix !== undefined) return { scope: { kind: 'prefix', prefix }, rest };
  return { scope: item.length > 0 ? { kind: 'items', items: item } : { kind: 'site' }, rest };
}

const NO_ITEM = 'item must not be empty: no item has an empty id';

function checkName(name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  refuse(`there is no parameter ${JSON.stringify(name)}: ${hintFor(name, known)}`);
}

function single(
  parameters: readonly (readonly [string, string])[],
): Readonly<Record<string, string>> {
  const seen = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (seen.has(name)) refuse(`give ${name} once`);
    seen.set(name, value);
  }
  return Object.fromEntries(seen);
}

function messageOf({ issues }: ZodError): string {
  return issues[0]?.message ?? 'the parameters cannot be read';
}

function refuse(message: string): never {
  throw new MetronomeError('bad-request', message);
}

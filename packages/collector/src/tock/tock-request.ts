import { z } from 'zod';
import { MetronomeError } from '../errors.ts';
import { nearest } from '../query/nearest.ts';
import { canonicalTimeZone } from '../query/time-zone.ts';

/** What a tock is asked about, and how. */
export interface TockRequest {
  readonly scope: TockScope;
  /** ISO dates in `timeZone`, both inclusive; absent: see `period`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly timeZone: string;
  readonly interval: TockInterval;
  /** Most downloads and referers. */
  readonly limit: number;
  readonly app?: string | undefined;
  readonly bots: 'include' | 'exclude';
}

/** `items` answers one object keyed by id, the others one tock. */
export type TockScope =
  | { readonly kind: 'item'; readonly item: string }
  | { readonly kind: 'items'; readonly items: readonly string[] }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'site' };

const intervals = ['hour', 'day', 'week', 'month'] as const;
export type TockInterval = (typeof intervals)[number];

export const TOCK_LIMITS = {
  limitDefault: 100,
  limitMax: 10_000,
  /** Ids in one call. */
  itemsMax: 100,
} as const;

const date = (name: string) =>
  z.string().refine(isDate, `${name} must be a date such as 2026-11-23`).optional();

const limitText = `limit must be a whole number from 1 to ${TOCK_LIMITS.limitMax}`;

const parametersSchema = z.strictObject({
  from: date('from'),
  to: date('to'),
  tz: z
    .string()
    .transform((name) => canonicalTimeZone(name))
    .refine((name) => name !== undefined, 'tz must be an IANA time zone such as Europe/Berlin')
    .optional(),
  interval: z.enum(intervals, `interval must be one of ${intervals.join(', ')}`).default('day'),
  limit: z
    .string()
    .regex(/^\d{1,5}$/, limitText)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= TOCK_LIMITS.limitMax, limitText)
    .default(TOCK_LIMITS.limitDefault),
  app: z.string().min(1, 'app must not be empty').optional(),
  bots: z.enum(['include', 'exclude'], 'bots must be include or exclude').default('exclude'),
});

const names = Object.keys(parametersSchema.shape);

/**
 * Reads the parameters of `GET /tock/:id.json`, with the item of its path, or of `GET /tock.json`,
 * without one. Throws `bad-request` with a sentence that says what to write instead.
 */
export function parseTockRequest(
  item: string | undefined,
  parameters: URLSearchParams,
  timeZoneDefault: string,
): TockRequest {
  const { scope, rest } = parseScope(item, parameters);
  const read = parametersSchema.safeParse(single(rest, item === undefined));
  if (!read.success) refuse(read.error.issues[0]?.message ?? 'the parameters cannot be read');
  const { tz, ...others } = read.data;
  return { ...others, scope, timeZone: tz ?? timeZoneDefault };
}

function parseScope(
  item: string | undefined,
  parameters: URLSearchParams,
): { readonly scope: TockScope; readonly rest: readonly (readonly [string, string])[] } {
  if (item !== undefined) return { scope: { kind: 'item', item }, rest: [...parameters] };
  const rest = [...parameters].filter(([name]) => name !== 'item' && name !== 'prefix');
  const items = [...new Set(parameters.getAll('item'))];
  const [prefix, ...more] = parameters.getAll('prefix');
  if (more.length > 0) refuse('give prefix once');
  if (items.length > TOCK_LIMITS.itemsMax) {
    refuse(`ask for at most ${TOCK_LIMITS.itemsMax} items in one call`);
  }
  if (prefix !== undefined && items.length > 0) refuse('give either item or prefix, not both');
  if (prefix !== undefined) return { scope: { kind: 'prefix', prefix }, rest };
  return { scope: items.length > 0 ? { kind: 'items', items } : { kind: 'site' }, rest };
}

/** Each parameter once and by a name that is known. */
function single(
  parameters: readonly (readonly [string, string])[],
  isSite: boolean,
): Readonly<Record<string, string>> {
  const known = isSite ? [...names, 'item', 'prefix'] : names;
  const seen = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (!known.includes(name)) {
      const near = nearest(name, known);
      const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
      refuse(`there is no parameter ${JSON.stringify(name)}: ${hint}`);
    }
    if (seen.has(name)) refuse(`give ${name} once`);
    seen.set(name, value);
  }
  return Object.fromEntries(seen);
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  try {
    Temporal.PlainDate.from(text, { overflow: 'reject' });
    return true;
  } catch {
    return false;
  }
}

function refuse(message: string): never {
  throw new MetronomeError('bad-request', `${message}`);
}

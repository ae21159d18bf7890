import { z } from 'zod';
import { canonicalTimeZone } from '../query/time-zone.ts';

export const intervals = ['hour', 'day', 'week', 'month'] as const;

export const TOCK_LIMITS = {
  limitDefault: 100,
  limitMax: 10_000,
  /** Ids in one call. */
  itemsMax: 100,
} as const;

/** What `items` can be ranked by. */
export const ranks = ['views', 'downloads', 'outbound', 'errors', 'visitors', 'time'] as const;

const date = (name: string) =>
  z.string().refine(isDate, `${name} must be a date such as 2026-11-23`).optional();

const limitText = `limit must be a whole number from 1 to ${TOCK_LIMITS.limitMax}`;

const choice = <const T extends readonly [string, ...string[]]>(name: string, values: T) =>
  z.enum(values, `${name} must be ${oneOf(values)}`);

/**
 * The parameters of all statistics, each with its meaning; which of them a statistic takes is
 * said by `Statistic.parameters`. `docs/statistics.md` is tested against this.
 */
export const parametersSchema = z.object({
  from: date('from').meta({
    description: 'First day, as `2026-11-23`; default: 29 days before `to`.',
    format: 'date',
  }),
  to: date('to').meta({ description: 'Last day, inclusive; default: today.', format: 'date' }),
  tz: z
    .string()
    .transform((name) => canonicalTimeZone(name))
    .refine((name) => name !== undefined, 'tz must be an IANA time zone such as Europe/Berlin')
    .optional()
    .describe('IANA time zone of days and hours; default: `METRONOME_TIMEZONE`.'),
  app: z
    .string()
    .min(1, 'app must not be empty')
    .optional()
    .describe('The site; required once there are several.'),
  bots: choice('bots', ['include', 'exclude'])
    .default('exclude')
    .describe('`include` counts bots and referrer spam too; default: `exclude`.'),
  interval: choice('interval', intervals)
    .optional()
    .describe('`hour`, `day`, `week` (named by its Monday) or `month`; default: `day`.'),
  limit: z
    .string()
    .regex(/^\d{1,5}$/, limitText)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= TOCK_LIMITS.limitMax, limitText)
    .optional()
    .meta({
      description: 'Rows of each list, highest first; default 100, at most 10,000.',
      // What it is in the text of an address.
      type: 'integer',
      minimum: 1,
      maximum: TOCK_LIMITS.limitMax,
    }),
  noise: choice('noise', ['include', 'exclude'])
    .default('exclude')
    .describe(
      '`include` shows errors of browser extensions and scripts elsewhere; default: `exclude`.',
    ),
  by: choice('by', ranks)
    .default('views')
    .describe(`What ranks the items: ${ranks.map((rank) => `\`${rank}\``).join(', ')}.`),
});

/** What narrows the site; either of them. */
export const scopeSchema = z.object({
  item: z
    .array(z.string())
    .max(TOCK_LIMITS.itemsMax, `ask for at most ${TOCK_LIMITS.itemsMax} items in one call`)
    .optional()
    .describe('An item; repeated, the answer is one object keyed by id.'),
  prefix: z.string().optional().describe('Items whose ids begin so, together.'),
});

export type ScopeName = keyof z.output<typeof scopeSchema>;

export type Parameters = z.output<typeof parametersSchema>;
export type ParameterName = keyof Parameters;

/** What every statistic takes that is about a period. */
export const ofPeriod = [
  'from',
  'to',
  'tz',
  'app',
  'bots',
] as const satisfies readonly ParameterName[];

function oneOf(values: readonly string[]): string {
  return values.length === 2 ? values.join(' or ') : `one of ${values.join(', ')}`;
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

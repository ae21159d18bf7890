import { z } from 'zod';
import type { Measure, Row } from '../../query/query.ts';
import type { Answer } from '../answer.ts';
import { allOf, NOISE } from '../filters.ts';
import { queryOf } from '../from-queries.ts';
import type { Part } from '../part.ts';
import { ofPeriod } from '../parameters.ts';
import { countSchema, instantSchema } from '../schemas.ts';
import type { Asked, Reader, Statistic } from '../statistic.ts';

const errorEvents = { kind: 'equals', field: 'event', value: 'error' } as const;
/** What claims to be more is one error. */
const REPEATED_MAX = 1_000_000;
const repeated = { kind: 'range', field: 'count', gte: 1, lt: REPEATED_MAX } as const;

/** An event of the SDK stands for as many errors as its `count` says. */
const measures = {
  events: { kind: 'count' },
  single: { kind: 'count', where: { kind: 'not', filter: repeated } },
  repeated: { kind: 'sum', field: 'count', where: repeated },
  visitors: { kind: 'distinct', field: 'visitor' },
} as const satisfies Record<string, Measure>;

const total: Part = { measures, filter: errorEvents };

const groups: Part = {
  measures: {
    ...measures,
    first: { kind: 'min', field: 'time' },
    last: { kind: 'max', field: 'time' },
    noise: { kind: 'count', where: NOISE },
  },
  dimensions: { fingerprint: { kind: 'field', field: 'fingerprint' } },
  filter: errorEvents,
};

const SAMPLED = ['url', 'message', 'stack', 'source', 'line', 'column', 'browser', 'os'] as const;
/** Events that are looked through for the samples; several may have happened at one instant. */
const SAMPLE_EVENTS_MAX = 50_000;

const numbers = { count: countSchema, events: countSchema, visitors: countSchema };
const text = z.string();

const schema = z.object({
  ...numbers,
  groups: z.array(
    z.object({
      fingerprint: text,
      ...numbers,
      first: instantSchema,
      last: instantSchema,
      noise: z.literal(true).optional(),
      sample: z
        .object({
          url: text,
          message: text,
          stack: text,
          source: text,
          line: z.number(),
          column: z.number(),
          browser: text,
          os: text,
        } satisfies Record<(typeof SAMPLED)[number], z.ZodType>)
        .partial()
        .nullable(),
    }),
  ),
});

/**
 * Errors: in all, and in `groups` by fingerprint (see the events' dictionary), those with the most
 * events first. `events` is the number of events, `count` that of errors, for the SDK sends what
 * repeats within a second as one event; `visitors` who met them; of a group the `first` and `last`
 * time in the period, and its last event as a `sample` with message and stack. Noise, of browser
 * extensions and scripts elsewhere, is left out; `noise=include` shows it, marked `noise`.
 */
export const errors: Statistic = {
  meaning:
    'Errors by cause: how many, how many visitors, first and last seen, a sample with its stack.',
  parameters: [...ofPeriod, 'limit', 'noise'],
  schema,
  async answer(store, given) {
    const heard = given.noise === 'include' ? undefined : ({ kind: 'not', filter: NOISE } as const);
    const asked = { ...given, filter: allOf(heard, given.filter) };
    const query = queryOf(groups, asked);
    const [[all = {}], found] = await Promise.all([
      store.query(queryOf(total, asked)),
      store.query(query),
    ]);
    const samples = await samplesOf(store, asked, found);
    return {
      ...countsOf(all),
      groups: found.map((row) => ({
        fingerprint: row['fingerprint'] ?? null,
        ...countsOf(row),
        first: instant(row['first']),
        last: instant(row['last']),
        ...(Number(row['noise']) > 0 && { noise: true }),
        sample: samples.get(String(row['fingerprint'])) ?? null,
      })),
    };
  },
};

function countsOf(row: Row): Record<string, Answer> {
  return {
    count: Number(row['single']) + Math.floor(Number(row['repeated'])),
    events: Number(row['events']),
    visitors: Number(row['visitors']),
  };
}

function instant(time: Row[string] | undefined): string {
  return new Date(Number(time)).toISOString();
}

/** The last event of each group, found by its time. */
async function samplesOf(
  store: Reader,
  { filter, range }: Asked,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, Answer>> {
  const samples = new Map<string, Answer>();
  if (rows.length === 0) return samples;
  const last = new Map(rows.map((row) => [String(row['fingerprint']), Number(row['last'])]));
  const events = store.scan({
    fields: ['fingerprint', 'time', ...SAMPLED],
    filter: allOf(
      errorEvents,
      { kind: 'in', field: 'fingerprint', values: [...last.keys()] },
      { kind: 'in', field: 'time', values: [...new Set(last.values())] },
      filter,
    ),
    range,
    limit: SAMPLE_EVENTS_MAX,
  });
  for await (const event of events) {
    const fingerprint = String(event['fingerprint']);
    if (last.get(fingerprint) !== event['time'] || samples.has(fingerprint)) continue;
    samples.set(fingerprint, sampleOf(event));
  }
  return samples;
}

function sampleOf(event: Row): Answer {
  const present = SAMPLED.flatMap((name) => {
    const value = event[name] ?? null;
    return value === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(present);
}

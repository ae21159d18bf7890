import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { canonicalTimeZone } from './query/time-zone.ts';

/**
 * The environment settings, as data: `docs/settings.md` is tested against it. `says` completes
 * the sentence "NAME must be …".
 */
export interface Setting<T = unknown> {
  readonly default: string;
  readonly says: string;
  readonly meaning: string;
  /** Throws when the text is wrong. */
  readonly parse: (text: string) => T;
}

const setting = <T>(
  fallback: string,
  says: string,
  schema: z.ZodType<T, string>,
  meaning: string,
): Setting<T> => ({ default: fallback, says, meaning, parse: (text) => schema.parse(text) });

/** A list of commas alone names nothing, and would open what it was meant to guard. */
const words = z
  .string()
  .refine((text) => text === '' || /[^\s,]/u.test(text))
  .transform((text) => text.split(/[\s,]+/u).filter((word) => word !== ''));

const wholeNumber = (min: number, max: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,15}$/u)
    .transform(Number)
    .pipe(z.number().min(min).max(max));

const number = (fallback: string, min: number, max: number, meaning: string): Setting<number> =>
  setting(fallback, `a whole number from ${min} to ${max}`, wholeNumber(min, max), meaning);

const text = (fallback: string, meaning: string): Setting<string> =>
  setting(fallback, 'a text', z.string(), meaning);

const timeZone = z.string().refine((zone) => canonicalTimeZone(zone) !== undefined);

const originPattern = /^https?:\/\/[^/\s]+$/u;
const origins = words.pipe(z.array(z.string().regex(originPattern)));
const urls = words.pipe(z.array(z.url({ protocol: /^https?$/u })));
const secrets = words.pipe(z.array(z.string().min(8)));

const proxies = words.transform((list): BlockList => {
  const trusted = new BlockList();
  for (const entry of list) addSubnet(trusted, entry);
  return trusted;
});

function addSubnet(list: BlockList, entry: string): void {
  const [address = '', bits, ...more] = entry.split('/');
  const family = isIP(address);
  const isSubnet = more.length === 0 && /^\d+$/u.test(bits ?? '0');
  if (family === 0 || !isSubnet) throw new Error(`${entry} is neither an address nor a subnet`);
  const type = family === 6 ? 'ipv6' : 'ipv4';
  list.addSubnet(address, bits === undefined ? (family === 6 ? 128 : 32) : Number(bits), type);
}

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;

export const SETTINGS = {
  METRONOME_HOST: text('127.0.0.1', 'Address to listen on; `0.0.0.0` for all.'),
  METRONOME_PORT: number('3000', 0, 65_535, 'Port to listen on; 0 takes a free one.'),
  METRONOME_DATA_DIR: text('./data', 'Folder of the journal, the DuckDB file and the salt.'),
  METRONOME_CONFIG: text(
    '',
    'Path of the configuration file; unset: `metronome.config.json` or `metronome.config.ts` in the working folder, where there is one.',
  ),
  METRONOME_STORE: setting(
    'duckdb',
    '`duckdb` or `elasticsearch`',
    z.enum(['duckdb', 'elasticsearch']) as z.ZodType<'duckdb' | 'elasticsearch', string>,
    'Where events are kept.',
  ),
  METRONOME_ELASTICSEARCH_URL: setting(
    'http://127.0.0.1:9200',
    'http:// or https:// URLs, separated by commas',
    urls,
    'Nodes of the cluster; may carry `user:password@`.',
  ),
  METRONOME_ELASTICSEARCH_API_KEY: text('', 'API key, instead of user and password.'),
  METRONOME_ELASTICSEARCH_CA: text('', 'Path of a PEM file with the CA of the cluster.'),
  METRONOME_ELASTICSEARCH_PREFIX: setting(
    'metronome',
    'lower-case letters, digits, `-` and `_`, beginning with a letter',
    z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/u),
    'Begins the names of the daily indices: `metronome-2026.11.23`.',
  ),
  METRONOME_ELASTICSEARCH_REPLICAS: number('1', 0, 10, 'Replicas of each daily index.'),
  METRONOME_ELASTICSEARCH_SHARDS: number('1', 1, 100, 'Shards of each daily index.'),
  METRONOME_DUCKDB_MEMORY_MB: number(
    '96',
    96,
    1_000_000,
    'Buffers of the embedded store, in MiB; what it needs beside them comes to about as much again. More helps questions about long periods of many events.',
  ),
  METRONOME_DUCKDB_THREADS: number(
    '1',
    1,
    256,
    'Threads that one statement of the embedded store may use. Statements run beside each other in any case.',
  ),
  METRONOME_TIMEZONE: setting(
    'UTC',
    'an IANA time zone such as `Europe/Berlin`',
    timeZone,
    'Zone of days in answers where the request names none.',
  ),
  METRONOME_ORIGINS: setting(
    '',
    'page origins such as `https://www.example.org`, separated by commas',
    origins,
    'Origins whose pages may send events; unset: any.',
  ),
  METRONOME_WRITE_KEYS: setting(
    '',
    'keys of at least 8 characters, separated by commas',
    secrets,
    'Keys for servers that send events; unset: none is needed. With keys set, a tick needs one of them or a listed `Origin` (which is no secret).',
  ),
  METRONOME_READ_TOKENS: setting(
    '',
    'tokens of at least 8 characters, separated by commas',
    secrets,
    'Tokens for reading answers, of at least 8 characters each; unset: open.',
  ),
  METRONOME_TRUSTED_PROXIES: setting(
    '',
    'IP addresses or subnets such as `10.0.0.0/8`, separated by commas',
    proxies,
    'Proxies whose `X-Forwarded-For` is believed.',
  ),
  METRONOME_RATE_LIMIT: number(
    '500',
    0,
    1_000_000,
    'Requests a second that one client without a key may send, with bursts of ten seconds; each further 1,000 events of a body count as one more; 0: no limit.',
  ),
  METRONOME_BODY_BYTES_MAX: number(
    String(5 * MiB),
    1024,
    GiB,
    'Largest body of a tick, as sent and as decompressed, in bytes.',
  ),
  METRONOME_JOURNAL_BYTES_MAX: number(
    String(8 * GiB),
    MiB,
    1024 * GiB,
    'Events that wait for a store longer than the journal has room are answered with 503.',
  ),
  METRONOME_SEGMENT_BYTES_MAX: number(
    String(64 * MiB),
    MiB,
    GiB,
    'A segment of the journal is closed at this size: then it is archived and, once everything has it, removed.',
  ),
  METRONOME_SEGMENT_MINUTES_MAX: number('60', 1, 1440, 'It is closed after this time as well.'),
  METRONOME_MAX_AGE_DAYS: number('90', 1, 36_500, 'Events older than this are refused.'),
  METRONOME_RETENTION_DAYS: number(
    '0',
    0,
    36_500,
    'Whole days that events are kept beside today; older ones are dropped and refused; 0: for ever.',
  ),
  METRONOME_ROLLUP_RETENTION_DAYS: setting(
    '',
    'a whole number from 0 to 36500, or empty',
    z.union([z.literal('').transform(() => undefined), wholeNumber(0, 36_500)]),
    'Whole days that counts are kept beside today where that is longer than the events, for tocks of long ago; 0: for ever; unset: as long as the events.',
  ),
  METRONOME_QUERY_EVENTS_MAX: number(
    '500000000',
    0,
    1_000_000_000_000,
    'Events that one request may read beside what is counted ahead; one that would read more is refused; 0: no limit.',
  ),
  METRONOME_ARCHIVE_DIR: text(
    '',
    'Folder to which closed journal segments are copied as gzip NDJSON; unset: no archive.',
  ),
  METRONOME_LOG_LEVEL: setting(
    'info',
    '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) as z.ZodType<
      string,
      string
    >,
    'Least level of log lines, which go to standard output as JSON.',
  ),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The parsed value of every setting, by its name. */
export type Settings = {
  readonly [Name in SettingName]: ReturnType<(typeof SETTINGS)[Name]['parse']>;
};

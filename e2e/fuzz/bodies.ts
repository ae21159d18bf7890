/** Hostile bodies of `POST /tick`. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Chance } from '../chaos/chance.ts';

export interface Body {
  readonly type: string;
  readonly encoding?: string;
  readonly bytes: Buffer;
}

const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';
const MUTATIONS_MAX = 8;
const DEPTH_MAX = 20_000;
const NESTING_MAX = 5;

type Event = Readonly<Record<string, unknown>>;

/** Good events, to be spoilt. */
const EVENTS: readonly [Event, ...Event[]] = [
  { item: 'trees', event: 'view', url: 'https://www.example.org/datasets/trees?a=1#b' },
  { id: 'a-1', time: '2026-11-23T10:00:00.000Z', sent: 1_795_430_400_000, item: 'a/b c', app: 'x' },
  { event: 'download', file: 'https://www.example.org/trees.kml', format: 'KML', visitor: 'v' },
  { event: 'error', message: 'x is not a function', stack: 'TypeError\n at a.js:1:2', line: 1 },
  { event: 'vital', name: 'LCP', value: 1234.5, rating: 'good', page: 'p', session: 's' },
  { '@timestamp': '2026-11-23T10:00:00Z', log: 'x', host: { name: 'h' }, kubernetes: { pod: 'p' } },
  { date: 1_795_430_400.123, remote: '10.0.0.1', path: '/datasets/trees.csv', code: '200' },
];

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '.',
  '..',
  'a.b',
  'a..b',
  '@timestamp',
  'id',
  'time',
  'sent',
  'item',
  'app',
  'url',
  'ip',
  'visitor',
  'session',
  'labels',
  'metrics',
  'tags',
  'journal.sequence',
  'journal.collector',
  'event.ingested',
  '"',
  '\\',
  '\n',
  '\u0000',
  '\u2028',
  '\ud800',
  '😀',
  'ключ',
  'k'.repeat(300),
  '1',
  '-0',
  'length',
  'then',
] as const;

const TEXTS = [
  '',
  ' ',
  'null',
  'NaN',
  '9'.repeat(400),
  '1e999',
  '-1',
  '0x10',
  '\u0000',
  '\ud800',
  '\udfff\ud83d',
  '😀'.repeat(50),
  '<script>alert(1)</script>',
  "'; DROP TABLE events; --",
  '${7*7}',
  '%00',
  '../../etc',
  '2026-02-30T25:61:61Z',
  '+275760-09-13T00:00:00.001Z',
  '0000-00-00',
  'http://[::1',
  'http://a:b@c:99999/',
  'javascript:1',
  'data:,',
  '//',
  'x'.repeat(9_000),
  '::ffff:1.2.3.4',
  '999.1.1.1',
  'Mozilla/5.0 ((((((',
  'a'.repeat(70_000),
  '\r\nX-Injected: 1',
  '\u202e',
  'İ',
  'ß',
  '{"a":1}',
  '[1]',
  'true',
] as const;

const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '1e999',
  '-1e999',
  '1e-999',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1',
  '1E400',
  '5e-324',
  '1.7976931348623157e308',
  '253402300800000',
  '-62135596800001',
  '8640000000000001',
] as const;

type MakeBody = (chance: Chance) => Body;

/** By kind; each as likely as the others but for the dear ones. */
export const BODIES = {
  'mutated JSON': (chance) => ({ type: JSON_TYPE, bytes: mutated(chance, goodJson(chance)) }),
  'mutated NDJSON': (chance) => ({ type: NDJSON_TYPE, bytes: mutated(chance, goodNdjson(chance)) }),
  'odd JSON': (chance) => ({ type: JSON_TYPE, bytes: Buffer.from(oddValue(chance, 0)) }),
  'odd events': (chance) => ({ type: JSON_TYPE, bytes: Buffer.from(oddEvents(chance)) }),
  'odd NDJSON': oddNdjson,
  'random bytes': (chance) => ({ type: chance.pick(TYPES), bytes: randomBytes(chance, 512) }),
  'deep nesting': deepNesting,
  'many keys': manyKeys,
  'wrong type': (chance) => ({ type: chance.pick(TYPES), bytes: goodJson(chance) }),
  'wrong encoding': wrongEncoding,
} as const satisfies Record<string, MakeBody>;

const TYPES = [
  JSON_TYPE,
  NDJSON_TYPE,
  'text/plain',
  'text/plain;charset=utf-16',
  'application/json; charset=latin1',
  '',
  ' ',
  ';',
  '/',
  'application',
  'application/JSON',
  'application/json,application/json',
  'text/html',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/json;'.repeat(40),
] as const;

function goodJson(chance: Chance): Buffer {
  const event = chance.pick(EVENTS);
  return Buffer.from(JSON.stringify(chance.happens(0.5) ? event : [event, chance.pick(EVENTS)]));
}

function goodNdjson(chance: Chance): Buffer {
  const lines = Array.from({ length: 1 + chance.below(5) }, () =>
    JSON.stringify(chance.pick(EVENTS)),
  );
  return Buffer.from(lines.join('\n'));
}

/** Flips, drops, doubles and inserts bytes. */
export function mutated(chance: Chance, bytes: Buffer): Buffer {
  let spoilt = Buffer.from(bytes);
  for (let count = 1 + chance.below(MUTATIONS_MAX); count > 0 && spoilt.length > 0; count--) {
    const at = chance.below(spoilt.length);
    const to = Math.min(spoilt.length, at + 1 + chance.below(8));
    const [before, middle, after] = [
      spoilt.subarray(0, at),
      spoilt.subarray(at, to),
      spoilt.subarray(to),
    ];
    switch (chance.below(4)) {
      case 0:
        spoilt = Buffer.concat([before, after]);
        break;
      case 1:
        spoilt = Buffer.concat([before, middle, middle, after]);
        break;
      case 2:
        spoilt = Buffer.concat([before, randomBytes(chance, 4), middle, after]);
        break;
      default:
        spoilt[at] = chance.below(256);
    }
  }
  return spoilt;
}

export function randomBytes(chance: Chance, lengthMax: number): Buffer {
  return Buffer.from(Array.from({ length: chance.below(lengthMax) }, () => chance.below(256)));
}

function oddValue(chance: Chance, depth: number): string {
  const kind = chance.below(depth >= NESTING_MAX ? 5 : 8);
  if (kind === 0) return chance.pick(NUMBERS);
  if (kind === 1) return chance.pick(['true', 'false', 'null', '"\\ud800"', '"\\u0000"']);
  if (kind <= 4) return JSON.stringify(chance.pick(TEXTS));
  const values = Array.from({ length: chance.below(6) }, () => oddValue(chance, depth + 1));
  if (kind === 5) return `[${values.join(',')}]`;
  return `{${values.map((value) => `${JSON.stringify(chance.pick(KEYS))}:${value}`).join(',')}}`;
}

/** Objects whose known keys have values of any kind. */
function oddEvents(chance: Chance): string {
  const members = Array.from({ length: 1 + chance.below(12) }, () => {
    const known = chance.happens(0.7) ? Object.keys(chance.pick(EVENTS)) : KEYS;
    const key = known[chance.below(known.length)] ?? '';
    return `${JSON.stringify(key)}:${oddValue(chance, 3)}`;
  });
  const event = `{${members.join(',')}}`;
  return chance.happens(0.3) ? `[${event},${oddValue(chance, 2)},${event}]` : event;
}

function oddNdjson(chance: Chance): Body {
  const ends = ['\n', '\r\n', '\r', '\n\n', '\u0000', '\u2028', '', '\n \n'] as const;
  const lines = Array.from(
    { length: chance.below(12) },
    () => oddEvents(chance) + chance.pick(ends),
  );
  const start = chance.happens(0.2) ? '\ufeff' : '';
  return { type: NDJSON_TYPE, bytes: Buffer.from(start + lines.join('')) };
}

function deepNesting(chance: Chance): Body {
  const depth = 1 + chance.below(DEPTH_MAX);
  const [open, close] = chance.pick<readonly [string, string]>([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ]);
  const closed = chance.happens(0.7) ? close.repeat(depth) : '';
  return { type: JSON_TYPE, bytes: Buffer.from(`${open.repeat(depth)}1${closed}`) };
}

function manyKeys(chance: Chance): Body {
  const count = chance.below(2_000);
  const prefix = chance.pick(['k', 'a.b.', '__proto__.', '.', 'item']);
  const members = Array.from({ length: count }, (_, index) => `"${prefix}${index}":${index}`);
  return { type: JSON_TYPE, bytes: Buffer.from(`{${members.join(',')}}`) };
}

const ENCODERS = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const satisfies Record<string, (bytes: Buffer) => Buffer>;

const ENCODING_NAMES = [
  'gzip',
  'x-gzip',
  'deflate',
  'br',
  'zstd',
  'identity',
  'gzip, gzip',
  'GZIP',
  '',
  'compress',
  'aws-chunked',
  '__proto__',
  'constructor',
  'gzip;q=1',
] as const;

/** Right, cut off, spoilt, or of another encoding than it says. */
function wrongEncoding(chance: Chance): Body {
  const encode = chance.pick(Object.values(ENCODERS) as [typeof gzipSync]);
  const encoded = encode(goodJson(chance));
  const bytes = chance.pick([
    encoded,
    encoded.subarray(0, chance.below(encoded.length)),
    mutated(chance, encoded),
    Buffer.concat([encoded, encoded]),
  ]);
  return { type: JSON_TYPE, encoding: chance.pick(ENCODING_NAMES), bytes };
}

const BOMB_BYTES = 64 * 1024 * 1024;
const ZEROS = Buffer.alloc(BOMB_BYTES, 48);

/** A few kilobytes that unpack to 64 MB. */
export const BOMBS: readonly Body[] = Object.entries(ENCODERS).map(([encoding, encode]) => ({
  type: JSON_TYPE,
  encoding,
  bytes: encode(ZEROS),
}));

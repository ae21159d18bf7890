/** Hostile requests, as the bytes that go over the wire. */
import type { Chance } from '../chaos/chance.ts';
import { BODIES, type Body, BOMBS, mutated, randomBytes } from './bodies.ts';

export interface Hostile {
  readonly kind: string;
  readonly bytes: Buffer;
  /**
   * Where the next request begins is clear, so that the connection goes on and an answer must
   * come. Otherwise the connection may be closed, or wait for more.
   */
  readonly framed: boolean;
  readonly method: string;
}

type Header = readonly [name: string, value: string];

const HOST: Header = ['Host', '127.0.0.1'];

type MakeRequest = (chance: Chance) => Hostile;

const PATHS = [
  '/',
  '/tick',
  '/tick/',
  '/tock.json',
  '/tock/trees.json',
  '/tock/a%2Fb.json',
  '/tock/trees/errors.json',
  '/tock/x/visitors.json',
  '/items.json',
  '/query/vitals.json',
  '/health',
  '/ready',
  '/metronome.js',
  '/metronome-vitals.js',
  '/metrics',
  '/example/',
  '/dashboard',
  '/favicon.ico',
  '/nothing',
] as const;

const SEGMENTS = [
  '%',
  '%2',
  '%zz',
  '%00',
  '%2F',
  '%2e%2e',
  '..',
  '.',
  '%E0%A4%A',
  '%F0%9F%98%80',
  '%FF',
  '//',
  '\\',
  '*',
  '.json',
  '__proto__',
  'constructor',
  'a'.repeat(2_000),
  '%25%32%46',
  ';',
  ':id',
  '{x}',
  '%0d%0a',
  '+',
  '~',
  '%C3%A9',
  'trees',
  'errors.json',
  '?',
  '#',
  '&',
  '%u0041',
  ' ',
] as const;

const PARAMETERS = [
  'from',
  'to',
  'tz',
  'interval',
  'limit',
  'app',
  'bots',
  'item',
  'prefix',
  'by',
  'key',
  'order',
  'offset',
  '__proto__',
  'constructor',
  '',
  '%',
  'from[]',
  'from[a]',
] as const;

const VALUES = [
  '',
  '0',
  '-1',
  '1e9',
  '99999999999999999999',
  'NaN',
  '2026-11-23',
  '2026-02-30',
  '0000-00-00',
  '9999-12-31',
  '-271821-04-20',
  '2026-11-23T10:00:00Z',
  '23.11.2026',
  'UTC',
  'Europe/Berlin',
  'Mars/Olympus',
  '+99:99',
  'day',
  'week',
  'minute',
  'fortnight',
  'include',
  '%00',
  '%',
  '%E0%A4%A',
  '../..',
  '*',
  "'",
  '"',
  '%27%20OR%201=1--',
  'a'.repeat(3_000),
  'true',
  '[]',
  '{}',
  '%F0%9F%98%80',
  '%C3%A9',
  'trees',
  'default',
] as const;

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'M-SEARCH',
] as const;

const HEADERS = [
  'Origin',
  'Referer',
  'User-Agent',
  'X-Forwarded-For',
  'Authorization',
  'Accept-Encoding',
  'If-None-Match',
  'Accept',
  'Cookie',
  'Sec-GPC',
  'DNT',
  'Sec-Fetch-Site',
  'Access-Control-Request-Method',
  'Forwarded',
  'Access-Control-Request-Headers',
  'Range',
  'If-Modified-Since',
  'X-HTTP-Method-Override',
  'Content-Language',
  'Date',
  'Via',
  '__proto__',
  'constructor',
  'X-Real-Ip',
  'Accept-Language',
  'Host2',
] as const;

const HEADER_VALUES = [
  '',
  ' ',
  '*',
  'null',
  'a'.repeat(4_000),
  '\u00ff\u00fe',
  '\t',
  'Bearer ',
  'Bearer \u00e9',
  'Basic !!!!',
  '::1',
  '1.2.3.4,'.repeat(300),
  '999.999.999.999',
  '"',
  'W/"',
  '",",",',
  'gzip;q=nan, br;q=-1',
  'identity;q=0, *;q=0',
  'bytes=0-',
  'bytes=-1,-2,-3',
  'https://example.org',
  'https://[::1',
  'javascript:',
  '1',
  '0',
  'POST',
  '__proto__',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  'a=b; '.repeat(200),
  'Thu, 01 Jan 1970 00:00:00 GMT',
  ',',
  ';',
] as const;

const HOSTS = [
  '127.0.0.1',
  'localhost:1',
  'a b',
  '[::1',
  '[::1]:x',
  'a:99999',
  '%',
  'é',
  'a@b',
  '..',
  'a/b',
  '?',
  '#',
  '',
] as const;

const BODY_KINDS = Object.keys(BODIES) as [keyof typeof BODIES];

/** How a request is hostile; those that cost much are rare. */
const KINDS: readonly (readonly [weight: number, kind: string, make: MakeRequest])[] = [
  ...BODY_KINDS.map(
    (kind) =>
      [
        kind === 'deep nesting' || kind === 'many keys' ? 1 : 6,
        kind,
        (chance: Chance) => tick(chance, BODIES[kind](chance)),
      ] as const,
  ),
  [
    0.01,
    'decompression bomb',
    (chance) => tick(chance, BOMBS[chance.below(BOMBS.length)] ?? BODIES['random bytes'](chance)),
  ],
  [12, 'odd path', oddPath],
  [3, 'odd query', oddQuery],
  [6, 'odd headers', oddHeaders],
  [2, 'odd host', oddHost],
  [3, 'odd method', oddMethod],
  [3, 'odd chunks', oddChunks],
  [3, 'broken framing', brokenFraming],
  [2, 'lying length', lyingLength],
  [
    2,
    'mutated request',
    (chance) => ({ ...tick(chance, BODIES['odd events'](chance)), ...mutation(chance) }),
  ],
  [
    1,
    'noise',
    (chance) => ({ kind: '', framed: false, method: '', bytes: randomBytes(chance, 2_000) }),
  ],
];

const WEIGHT = KINDS.reduce((sum, [weight]) => sum + weight, 0);

export function hostileRequest(chance: Chance): Hostile {
  let at = chance.next() * WEIGHT;
  for (const [weight, kind, make] of KINDS) {
    at -= weight;
    if (at < 0) return { ...make(chance), kind };
  }
  return { ...oddPath(chance), kind: 'odd path' };
}

/** One that must be answered with 202. */
export const GOOD_TICK: Hostile = framed(
  'POST',
  '/tick',
  [['Content-Type', 'application/json']],
  Buffer.from('{"item":"good"}'),
);

function framed(method: string, path: string, headers: readonly Header[], body?: Buffer): Hostile {
  const length: readonly Header[] =
    body === undefined ? [] : [['Content-Length', String(body.length)]];
  const bytes = Buffer.concat([
    head(`${method} ${path} HTTP/1.1`, [HOST, ...headers, ...length]),
    body ?? Buffer.alloc(0),
  ]);
  return { kind: '', bytes, framed: true, method };
}

function head(line: string, headers: readonly Header[]): Buffer {
  const lines = [line, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

function tick(chance: Chance, { bytes, encoding, type }: Body): Hostile {
  const headers: Header[] = [['Content-Type', type]];
  if (encoding !== undefined) headers.push(['Content-Encoding', encoding]);
  if (chance.happens(0.2)) headers.push(oddHeader(chance));
  return framed('POST', '/tick', headers, bytes);
}

/** Spaces and line ends would end the request line. */
function target(text: string): string {
  return text.replaceAll(/[\s#]/gu, '+');
}

function oddPath(chance: Chance): Hostile {
  const segments = Array.from({ length: 1 + chance.below(4) }, () => chance.pick(SEGMENTS));
  const base = chance.pick(['', '/tock', '/query', '/example', '/tock/trees', '/items.json']);
  const end = chance.pick(['', '.json', '/', '.json?', '.json/x']);
  return framed(
    chance.pick(['GET', 'GET', 'HEAD', 'OPTIONS']),
    target(`${base}/${segments.join('/')}${end}`),
    [],
  );
}

function oddQuery(chance: Chance): Hostile {
  const pairs = Array.from(
    { length: 1 + chance.below(6) },
    () => `${chance.pick(PARAMETERS)}=${chance.pick(VALUES)}`,
  );
  return framed(
    'GET',
    target(`${chance.pick(PATHS)}?${pairs.join(chance.pick(['&', '&', '&&', ';']))}`),
    [],
  );
}

function oddHeader(chance: Chance): Header {
  return [chance.pick(HEADERS), chance.pick(HEADER_VALUES)];
}

function oddHeaders(chance: Chance): Hostile {
  const headers = Array.from({ length: 1 + chance.below(6) }, () => oddHeader(chance));
  if (chance.happens(0.5)) return framed('GET', chance.pick(PATHS), headers);
  return framed('POST', '/tick', headers, Buffer.from('{"item":"a"}'));
}

function oddHost(chance: Chance): Hostile {
  const method = chance.pick(['GET', 'POST']);
  const headers: Header[] = [['Host', chance.pick(HOSTS)]];
  if (chance.happens(0.1)) headers.push(['Host', chance.pick(HOSTS)]);
  if (method === 'POST') headers.push(['Content-Length', '0']);
  const bytes = head(`${method} ${chance.pick(PATHS)} HTTP/1.1`, headers);
  return { kind: '', bytes, framed: false, method };
}

function oddMethod(chance: Chance): Hostile {
  const body = chance.happens(0.5) ? Buffer.from('{"item":"a"}') : undefined;
  return framed(chance.pick(METHODS), chance.pick(PATHS), [oddHeader(chance)], body);
}

/** Chunked bodies, some with sizes that are none. */
function oddChunks(chance: Chance): Hostile {
  const size = chance.pick([
    'c',
    'C',
    '0c',
    'c;ext=1',
    'g',
    '-1',
    'fffffffffffffffff',
    '',
    'c ',
    '0x c',
  ]);
  const end = chance.pick([
    '0\r\n\r\n',
    '0\r\n\r\n',
    '0\r\nTrailer: x\r\n\r\n',
    '',
    '0\r\n',
    '\r\n',
  ]);
  const headers: Header[] = [
    HOST,
    ['Content-Type', 'application/json'],
    ['Transfer-Encoding', 'chunked'],
  ];
  if (chance.happens(0.2)) headers.push(['Content-Length', '5']);
  const body = Buffer.from(`${size}\r\n{"item":"a"}\r\n${end}`);
  const bytes = Buffer.concat([head('POST /tick HTTP/1.1', headers), body]);
  return { kind: '', bytes, framed: false, method: 'POST' };
}

const FRAMINGS = [
  'GET / HTTP/9.9\r\n\r\n',
  'GET /\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET\r\n\r\n',
  'get / http/1.1\r\n\r\n',
  ' GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\nHost: a\n\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX: \u0000\r\n\r\n',
  'GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET http://a/tock.json HTTP/1.1\r\nHost: b\r\n\r\n',
  'GET //a//b HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET * HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET a HTTP/1.1\r\nHost: a\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  '\r\n\r\n\r\n',
  '\u0000',
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST /tick HTTP/1.0\r\n\r\n{}',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
  'POST /tick HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n[]',
  'POST /tick HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 2\r\n\r\n[]',
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\nX: ${'b'.repeat(20_000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(2_500)}\r\n`,
  `${'X'.repeat(5_000)} / HTTP/1.1\r\n\r\n`,
] as const;

function brokenFraming(chance: Chance): Hostile {
  return {
    kind: '',
    bytes: Buffer.from(chance.pick(FRAMINGS), 'latin1'),
    framed: false,
    method: '',
  };
}

/** Too short, too long, several, or no number. */
function lyingLength(chance: Chance): Hostile {
  const lengths = [
    '0',
    '1',
    '5',
    '13',
    '100',
    '99999999',
    '999999999999999999999',
    '-1',
    '+5',
    '0x5',
    '5.0',
    '5, 5',
    '5, 6',
    '',
    ' ',
  ] as const;
  const headers: Header[] = [
    HOST,
    ['Content-Type', 'application/json'],
    ['Content-Length', chance.pick(lengths)],
  ];
  if (chance.happens(0.2)) headers.push(['Content-Length', chance.pick(lengths)]);
  if (chance.happens(0.2))
    headers.push([
      'Transfer-Encoding',
      chance.pick(['identity', 'gzip', 'chunked, identity', 'x']),
    ]);
  const bytes = Buffer.concat([head('POST /tick HTTP/1.1', headers), Buffer.from('{"item":"a"}')]);
  return { kind: '', bytes, framed: false, method: 'POST' };
}

function mutation(chance: Chance): Pick<Hostile, 'bytes' | 'framed'> {
  const { bytes } = tick(chance, BODIES['odd events'](chance));
  return { bytes: mutated(chance, bytes), framed: false };
}

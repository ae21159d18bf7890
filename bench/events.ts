/**
 * The events that the benchmarks send. They are a function of `n` alone, so that every run and
 * both sides of a comparison get the same. Items are drawn by popularity: a thousandth of the
 * catalogue gets a tenth of the views.
 */

/** Stands in an id where the sender puts what makes it unlike all others, of the same length. */
export const TOKEN = '@'.repeat(16);

export const ITEMS = 10_000;

/** Makes the `n`-th event, which happens at `time` (epoch ms). */
export type EventOf = (n: number, time: number) => Record<string, unknown>;

const REFERRERS = [
  'https://www.google.com/',
  'https://duckduckgo.com/',
  'https://www.washingtonpost.com/articles/dc-news?utm_source=feed',
  'https://data.example.org/search?q=roads',
];
const FORMATS = ['csv', 'kml', 'geojson', 'xlsx'];
const SYSTEMS = [
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
  'Linux; Android 10; K',
];
const AGENTS = Array.from(
  { length: 200 },
  (_, n) =>
    `Mozilla/5.0 (${pick(SYSTEMS, n)}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${60 + (n % 90)}.0.0.0 Safari/537.36`,
);

/** A page view as the SDK reports it; its id is that of the page view. */
export const browserEvent: EventOf = (n, time) => ({
  event: 'view',
  id: TOKEN,
  time,
  page: TOKEN,
  referrer: pick(REFERRERS, n),
  language: 'en-US',
  navigation: 'navigate',
  url: `https://data.example.org/datasets/${itemOf(n)}?tab=preview`,
  title: `${itemOf(n)} · Open data`,
});

/** What an application on a server reports of its visitors: every tenth a download. */
export const applicationEvent: EventOf = (n, time) => {
  const url = `https://data.example.org/datasets/${itemOf(n)}`;
  return {
    event: n % 10 === 0 ? 'download' : 'view',
    id: `${TOKEN}-${n}`,
    time,
    url,
    ...(n % 10 === 0 ? { file: `${url}.${pick(FORMATS, n / 10)}` } : {}),
    referrer: pick(REFERRERS, n),
    ip: addressOf(random(n + 0.5) * 50_000),
    user_agent: agentOf(n),
    region: `region-${n % 16}`,
    bytes: 20_000 + (n % 5000),
  };
};

/** A line of an access log as Logstash parses it. It has no id of its own. */
export const accessLogEvent: EventOf = (n, time) => ({
  '@timestamp': new Date(time).toISOString(),
  '@version': '1',
  source: { address: addressOf(random(n + 0.5) * 50_000) },
  http: {
    version: '1.1',
    request: { method: 'GET', referrer: pick(REFERRERS, n) },
    response: { status_code: 200, body: { bytes: 20_000 + (n % 5000) } },
  },
  url: { original: `/datasets/${itemOf(n)}${n % 4 === 0 ? '.csv' : ''}` },
  user_agent: { original: agentOf(n) },
  host: { name: 'web-1' },
});

/** The item of the `n`-th event. */
export function itemOf(n: number): string {
  return `road-network-${Math.floor(random(n) ** 3 * ITEMS)}`;
}

export function agentOf(n: number): string {
  return pick(AGENTS, Math.floor(random(n + 0.25) * AGENTS.length));
}

/** The `n`-th of the 16 million addresses of 10.0.0.0/8. */
export function addressOf(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
}

/** In 0..1, always the same for the same `n` (https://en.wikipedia.org/wiki/SplitMix). */
function random(n: number): number {
  let mixed = Math.imul(Math.floor(n * 4) + 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

function pick(values: readonly string[], at: number): string {
  return values[Math.floor(at) % values.length] ?? '';
}

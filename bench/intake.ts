/**
 * How much processor time it takes to turn bodies into lines for the journal: no network, no
 * disk, one thread.
 *
 *     node bench/intake.ts [seconds]
 */
import { createIntake, type ClientFacts } from '../packages/collector/src/intake/intake.ts';

const secondsEach = Number(process.argv[2] ?? 3);
const receivedAt = Date.parse('2026-11-23T12:00:00Z');
const BODIES = 2000;
const BATCH = 500;

const pick = <T>(values: readonly T[], at: number): T => values[at % values.length] as T;
const chrome = (major: number, system: string): string =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0 Safari/537.36`;
const SYSTEMS = [
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
  'Linux; Android 10; K',
];
const AGENTS = Array.from({ length: 200 }, (_, n) => chrome(60 + (n % 90), pick(SYSTEMS, n)));
const REFERRERS = [
  'https://www.google.com/',
  'https://duckduckgo.com/',
  'https://www.washingtonpost.com/articles/dc-news?utm=1',
  'https://data.example.org/search?q=roads',
];

/** What the SDK sends for a page view, 300 bytes. */
function browserEvent(n: number): Record<string, unknown> {
  const page = `m9x2k${n.toString(36).padStart(8, '0')}`;
  return {
    event: 'view',
    id: page,
    time: receivedAt - (n % 5000),
    app: 'catalogue',
    page,
    url: `https://data.example.org/datasets/road-network-${n % 3000}?tab=preview`,
    title: `Road network ${n % 3000} · Open data`,
    referrer: pick(REFERRERS, n),
    language: 'en-US',
    navigation: 'navigate',
  };
}

/** What Logstash sends for a line of an access log. */
function logEvent(n: number): Record<string, unknown> {
  return {
    '@timestamp': new Date(receivedAt - (n % 5000)).toISOString(),
    '@version': '1',
    source: { address: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}` },
    http: {
      version: '1.1',
      request: { method: 'GET', referrer: pick(REFERRERS, n) },
      response: { status_code: 200, body: { bytes: 20_000 + n } },
    },
    url: { original: `/datasets/road-network-${n % 3000}${n % 4 === 0 ? '.csv' : ''}` },
    user_agent: { original: pick(AGENTS, n) },
    host: { name: 'web-1' },
  };
}

interface Case {
  readonly name: string;
  readonly batch: number;
  readonly event: (n: number) => Record<string, unknown>;
  readonly client: (n: number) => ClientFacts;
}

const browser = (n: number): ClientFacts => ({
  receivedAt,
  ip: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
  userAgent: pick(AGENTS, n),
  fromBrowser: true,
  privacy: false,
  privileged: false,
});
const shipper = (n: number): ClientFacts => ({ ...browser(n), fromBrowser: false });

const CASES: readonly Case[] = [
  { name: 'browser events, batches', batch: BATCH, event: browserEvent, client: browser },
  { name: 'browser events, single', batch: 1, event: browserEvent, client: browser },
  { name: 'access log, batches', batch: BATCH, event: logEvent, client: shipper },
];

for (const one of CASES) run(one);

function run({ name, batch, event, client }: Case): void {
  const intake = createIntake({
    salt: () => 'a salt of the day, as long as a real one',
    patterns: [
      { pattern: '/datasets/:item.:format([^./]+)' },
      { pattern: '/datasets/:item' },
      { pattern: '/publishers/:item' },
    ],
  });
  const contentType = batch === 1 ? 'text/plain;charset=UTF-8' : 'application/json';
  const bodies = Array.from({ length: batch === 1 ? BODIES * 10 : BODIES / 20 }, (_, n) => {
    const events = Array.from({ length: batch }, (_unused, i) => event(n * batch + i));
    return Buffer.from(JSON.stringify(batch === 1 ? events[0] : events));
  });
  const bytesMean = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length / batch;
  const pass = (): number => {
    let lines = 0;
    bodies.forEach((bytes, n) => {
      lines += intake.take({ contentType, bytes }, client(n)).lines.length;
    });
    return lines;
  };
  pass();
  const start = performance.now();
  const before = process.cpuUsage();
  let events = 0;
  while (performance.now() - start < secondsEach * 1000) events += pass();
  // Processor time, so that a busy machine gives the same figure.
  const { user, system } = process.cpuUsage(before);
  const us = (user + system) / events;
  console.log(
    `${name.padEnd(24)} ${Math.round(1e6 / us).toLocaleString('en')} events/s, ` +
      `${us.toFixed(2)} µs each (${Math.round(bytesMean)} bytes)`,
  );
}

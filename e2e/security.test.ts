import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CollectorProcess, startCollector } from './collector-process.ts';
import { eventually } from './eventually.ts';
import { type Elasticsearch, startElasticsearch } from './parts/elasticsearch.ts';

const PAGE = 'https://www.example.org';
const AGENT = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

async function tick(
  collector: CollectorProcess,
  event: object,
  headers: Record<string, string> = {},
  query = '',
): Promise<Response> {
  return fetch(`${collector.url}/tick${query}`, {
    method: 'POST',
    body: JSON.stringify(event),
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** Everything that the collector wrote anywhere in its data folder. */
function written(collector: CollectorProcess): string {
  const files = readdirSync(collector.dataDir, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
    .join('\n');
}

describe('keys, origins and tokens', () => {
  let collector: CollectorProcess;
  beforeAll(async () => {
    collector = await startCollector({
      env: {
        METRONOME_WRITE_KEYS: 'correct-horse battery-staple',
        METRONOME_READ_TOKENS: 'let-me-read',
        METRONOME_ORIGINS: PAGE,
      },
    });
  });
  afterAll(() => collector.stop());

  test('a tick needs a key or a listed origin', async () => {
    const event = { item: 'guarded' };
    const status = async (headers: Record<string, string>, query?: string): Promise<number> =>
      (await tick(collector, event, headers, query)).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer wrong-horse' })).toBe(401);
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({ authorization: 'Bearer battery-staple' })).toBe(202);
    expect(await status({}, '?key=correct-horse')).toBe(202);
    expect(await status({ origin: PAGE })).toBe(202);
  });

  test('only a listed page may read the answer', async () => {
    const listed = await tick(collector, {}, { origin: PAGE });
    expect(listed.headers.get('access-control-allow-origin')).toBe(PAGE);
    const preflight = await fetch(`${collector.url}/tick`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('an answer needs a token', async () => {
    const url = `${collector.url}/tock/guarded.json`;
    const refused = await fetch(url);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    const headers = { authorization: 'Bearer let-me-read' };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  test('no secret is in a log line', () => {
    expect(collector.log.join('\n')).not.toMatch(/correct-horse|battery-staple|let-me-read/u);
  });
});

describe('privacy', () => {
  let collector: CollectorProcess;
  beforeAll(async () => {
    collector = await startCollector({ env: { METRONOME_TRUSTED_PROXIES: '127.0.0.1' } });
  });
  afterAll(() => collector.stop());

  test('Global Privacy Control: counted, without visitor, session and agent', async () => {
    const headers = { 'sec-gpc': '1', 'user-agent': AGENT, origin: PAGE };
    const event = { item: 'private', session: 'session-of-mine', visitor: 'visitor-of-mine' };
    expect((await tick(collector, event, headers)).status).toBe(202);
    await eventually(async () => {
      const tock = await fetch(`${collector.url}/tock/private.json`);
      const { views } = (await tock.json()) as { views: Record<string, number> };
      expect(Object.values(views)).toEqual([1]);
    });
    const all = written(collector);
    expect(all).toContain('private');
    expect(all).not.toMatch(/session-of-mine|visitor-of-mine|Firefox/u);
  });

  test('addresses are never written, wherever they come from', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.77', 'user-agent': AGENT, origin: PAGE };
    await tick(collector, { item: 'here', client_ip: '203.0.113.78' }, headers);
    await tick(collector, { item: 'here', source: { address: '203.0.113.79' } }, headers);
    expect(written(collector)).not.toMatch(/203\.0\.113\.7/u);
    expect(collector.log.join('\n')).not.toMatch(/203\.0\.113\.7/u);
  });

  test('other users of the machine cannot read what is kept', async () => {
    const dataDir = join(collector.dataDir, 'begun', 'by', 'itself');
    const other = await startCollector({ dataDir });
    for (const folder of [dataDir, join(dataDir, 'journal')]) {
      expect(statSync(folder).mode & 0o007).toBe(0);
    }
    await other.stop();
  });

  test('no cookie is set', async () => {
    for (const path of ['/', '/metronome.js', '/tock.json']) {
      expect((await fetch(collector.url + path)).headers.get('set-cookie')).toBeNull();
    }
  });
});

describe('limits', () => {
  test('a client that sends without end is asked to slow down, and others are not', async () => {
    const env = { METRONOME_RATE_LIMIT: '1', METRONOME_TRUSTED_PROXIES: '127.0.0.1' };
    const collector = await startCollector({ env });
    const from = async (address: string): Promise<Response> =>
      tick(collector, { item: 'a' }, { 'x-forwarded-for': address });
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async () => (await from('203.0.113.1')).status),
    );
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect((await from('203.0.113.2')).status).toBe(202);
    await collector.stop();
  });

  test('who asks on and on without waiting for answers is cut off', async () => {
    const collector = await startCollector();
    const socket = connect(Number(new URL(collector.url).port), '127.0.0.1');
    let answers = '';
    socket.on('error', () => {}).on('data', (piece) => (answers += String(piece)));
    socket.write('GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1_500));
    await once(socket, 'close');
    expect(answers.split('HTTP/1.1 200').length).toBeLessThan(3);
    expect((await fetch(`${collector.url}/health`)).status).toBe(200);
    await collector.stop();
  });

  test('bodies that do not end have a bound together, beside which usual ones are taken', async () => {
    const collector = await startCollector();
    const port = Number(new URL(collector.url).port);
    const length = 5 * 1024 * 1024;
    const answers: string[] = [];
    const sockets = Array.from({ length: 14 }, () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.on('data', (answer) => answers.push(String(answer)));
      socket.write(`POST /tick HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
      socket.write(' '.repeat(length - 1));
      return socket;
    });
    await eventually(async () => expect(answers).not.toEqual([]));
    expect(answers[0]).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: \d+/iu);
    expect(answers[0]).toContain('application/problem+json');
    const statusOf = async (title: string): Promise<number> =>
      (await tick(collector, { item: 'a', title })).status;
    expect(await statusOf('usual')).toBe(202);
    for (const socket of sockets) socket.destroy();
    await eventually(async () => expect(await statusOf('x'.repeat(length - 100))).toBe(202));
    await collector.stop();
  });

  test('stored values never become markup', async () => {
    const collector = await startCollector();
    const host = await fetch(collector.url, { headers: { host: '"><script>alert(1)</script>' } });
    expect(await host.text()).not.toContain('<script>alert(1)');
    const tock = await fetch(`${collector.url}/tock/${encodeURIComponent('<script>')}.json`);
    expect(tock.headers.get('content-type')).toMatch(/^application\/json/u);
    expect(tock.headers.get('x-content-type-options')).toBe('nosniff');
    await collector.stop();
  });
});

describe('an Elasticsearch with users and TLS', () => {
  let elasticsearch: Elasticsearch;
  beforeAll(async () => {
    elasticsearch = await startElasticsearch({ tls: true, heapMb: 512 });
  });
  afterAll(() => elasticsearch.stop());

  test('takes and answers by user, password and CA', async () => {
    const { url, user = '', password = '', caPath = '' } = elasticsearch;
    const target = new URL(url);
    target.username = user;
    target.password = password;
    const collector = await startCollector({
      env: {
        METRONOME_STORE: 'elasticsearch',
        METRONOME_ELASTICSEARCH_URL: target.href,
        METRONOME_ELASTICSEARCH_CA: caPath,
        METRONOME_ELASTICSEARCH_REPLICAS: '0',
      },
    });
    await tick(collector, { item: 'encrypted' });
    await eventually(async () => {
      const { views } = (await (await fetch(`${collector.url}/tock/encrypted.json`)).json()) as {
        views: Record<string, number>;
      };
      expect(Object.values(views ?? {})).toEqual([1]);
    });
    expect(collector.log.join('\n')).not.toContain(password);
    await collector.stop();
  });

  test('a wrong password is named in /ready, without the password', async () => {
    const target = new URL(elasticsearch.url);
    target.username = 'nobody';
    target.password = 'wrong-password';
    const collector = await startCollector({
      env: {
        METRONOME_STORE: 'elasticsearch',
        METRONOME_ELASTICSEARCH_URL: target.href,
        METRONOME_ELASTICSEARCH_CA: elasticsearch.caPath ?? '',
      },
    });
    const ready = await fetch(`${collector.url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).not.toContain('wrong-password');
    await eventually(async () => expect(collector.log.join('\n')).toContain('not available'));
    expect(collector.log.join('\n')).not.toContain('wrong-password');
    await collector.stop();
  });
});

import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CollectorProcess, runMetronome, startCollector } from './collector-process.ts';
import { eventually } from './eventually.ts';
import { sharedElasticsearch } from './parts/shared-elasticsearch.ts';

interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly rejected?: readonly { index: number; reason: string }[];
}

let collector: CollectorProcess;

beforeAll(async () => {
  collector = await startCollector({ env: { METRONOME_BODY_BYTES_MAX: '2000' } });
});

afterAll(async () => {
  await collector.stop();
});

async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Problem;
  expect(problem).toMatchObject({ status: response.status, title: response.statusText });
  return problem;
}

async function tick(body: string, contentType = 'application/json'): Promise<Response> {
  const headers = { 'content-type': contentType };
  return fetch(`${collector.url}/tick`, { method: 'POST', body, headers });
}

describe('a tick that cannot be taken is answered with a problem', () => {
  test.each([
    ['broken JSON', '{"event":', 'application/json', 400],
    ['an array of no objects', '[1,"two",null]', 'application/json', 400],
    ['a lone scalar', '42', 'application/json', 400],
    ['a wrong content type', 'event=view', 'application/x-www-form-urlencoded', 415],
    ['a body over the limit', JSON.stringify({ title: 'x'.repeat(2000) }), 'application/json', 413],
    ['an unreadable time', '{"item":"a","time":"yesterday"}', 'application/json', 400],
  ])('%s', async (_, body, contentType, status) => {
    const problem = await problemOf(await tick(body, contentType));
    expect(problem.status).toBe(status);
    expect(problem.detail).toMatch(/\w.*\.$/u);
  });

  test.each([
    ['what is no HTTP', 'hello\r\n\r\n', 400],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['a target that is none', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s', async (_, request, status) => {
    const socket = connect(Number(new URL(collector.url).port), '127.0.0.1');
    socket.write(request);
    // The answer comes whole, or the connection would not be closed.
    socket.setTimeout(2_000, () => socket.end());
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `, 'u'));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, detail: expect.stringMatching(/\w.*\.$/u) });
  });

  test('one bad event of many is rejected by its index, the others are kept', async () => {
    const response = await tick(
      '{"item":"good"}\n{"item":\n{"item":"good"}',
      'application/x-ndjson',
    );
    expect(response.status).toBe(202);
    const answer = (await response.json()) as Problem & { accepted: number };
    expect(answer.accepted).toBe(2);
    expect(answer.rejected).toEqual([{ index: 1, reason: expect.any(String) }]);
  });

  test('all rejected is a 400 with the same list', async () => {
    const problem = await problemOf(await tick('[1,{"item":"a","time":"yesterday"}]'));
    expect(problem.status).toBe(400);
    expect(problem.rejected?.map(({ index }) => index)).toEqual([0, 1]);
  });

  test('an empty array is a 202 of 0', async () => {
    const response = await tick('[]');
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ accepted: 0, rejected: [] });
  });

  test('another method is a 405 that names the right one', async () => {
    const response = await fetch(`${collector.url}/tick`);
    expect(response.headers.get('allow')).toContain('POST');
    expect((await problemOf(response)).status).toBe(405);
  });
});

test('what is only read says so to other methods', async () => {
  for (const path of ['/', '/health', '/tock/a.json', '/query/visitors.csv', '/items.json']) {
    const response = await fetch(collector.url + path, { method: 'POST' });
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect((await problemOf(response)).status).toBe(405);
  }
});

describe('a question that cannot be answered says what to ask instead', () => {
  test.each([
    ['/tock/%E0%A4%A.json', 400, /percent-encoding/],
    ['/tock/a.json?from=2026-11-23&to=2026-11-01', 400, /from/],
    ['/tock/a.json?from=23.11.2026', 400, /2026-11-23/],
    ['/tock/a.json?tz=Mars/Olympus', 400, /IANA/],
    ['/tock/a.json?interval=fortnight', 400, /week/],
    ['/tock/a.json?limit=0', 400, /10000/],
    ['/tock/a.json?form=2026-11-23', 400, /from/],
    ['/tock/a', 404, /ITEM\.json/],
    ['/nothing', 404, /nothing/],
  ])('%s', async (path, status, detail) => {
    const problem = await problemOf(await fetch(collector.url + path));
    expect(problem.status).toBe(status);
    expect(problem.detail).toMatch(detail);
  });
});

describe('a start that cannot be is one sentence', () => {
  test('a port in use', async () => {
    const port = new URL(collector.url).port;
    const env = { METRONOME_DATA_DIR: `${collector.dataDir}-other`, METRONOME_PORT: port };
    const { code, stderr } = await runMetronome(['start'], env);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `metronome: Port ${port} of 127.0.0.1 is in use; stop what uses it or set METRONOME_PORT.\n`,
    );
  });

  test.each(['no.such.host.invalid', '192.0.2.1'])('a host that is another: %s', async (host) => {
    const env = { METRONOME_DATA_DIR: `${collector.dataDir}-other`, METRONOME_HOST: host };
    const { code, stderr } = await runMetronome(['start'], env);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `metronome: ${host} is not an address of this machine; set METRONOME_HOST.\n`,
    );
  });

  test('an unknown value of a setting', async () => {
    const { code, stderr } = await runMetronome(['start'], { METRONOME_STORE: 'mysql' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^metronome: METRONOME_STORE must be .*"mysql"\.\n$/u);
  });

  test('a data folder that another collector owns', async () => {
    const env = { METRONOME_DATA_DIR: collector.dataDir, METRONOME_PORT: '0' };
    const { code, stderr } = await runMetronome(['start'], env);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(collector.dataDir);
  });

  test('a data folder whose path is too long for the socket in it', async () => {
    const env = { METRONOME_DATA_DIR: `${collector.dataDir}/${'long'.repeat(25)}` };
    for (const args of [['start'], ['audit']]) {
      const { code, stderr } = await runMetronome(args, env);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^metronome: .*METRONOME_DATA_DIR.*\.\n$/u);
    }
  });

  test('an example that is no folder', async () => {
    const { code, stderr } = await runMetronome(['start', '--example', 'README.md'], {});
    expect(code).toBe(2);
    expect(stderr).toBe('metronome: --example names README.md, which is no folder.\n');
  });

  test('a command where there is no data folder, and nothing is begun there', async () => {
    const env = { METRONOME_DATA_DIR: `${collector.dataDir}-none` };
    const { code, stderr } = await runMetronome(['tock', 'a'], env);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `metronome: ${env.METRONOME_DATA_DIR} is no data folder; set METRONOME_DATA_DIR to that of the collector.\n`,
    );
    expect(existsSync(env.METRONOME_DATA_DIR)).toBe(false);
  });

  test('an unknown command', async () => {
    expect(await runMetronome(['strat'], {})).toEqual({
      code: 2,
      stdout: '',
      stderr: 'metronome: "strat" is no command; did you mean start?\n',
    });
  });
});

test('an archive that cannot be written is named by /ready, and events are taken', async () => {
  const env = { METRONOME_ARCHIVE_DIR: fileURLToPath(import.meta.url) };
  const archiving = await startCollector({ env });
  await eventually(async () => {
    const ready = await fetch(`${archiving.url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      parts: { journal: { ready: true }, archive: { ready: false, reason: expect.any(String) } },
    });
  });
  const body = '{"item":"kept"}';
  expect((await fetch(`${archiving.url}/tick`, { method: 'POST', body })).status).toBe(202);
  await archiving.stop();
});

describe('an Elasticsearch that is not there at the start', () => {
  let late: CollectorProcess;
  let proxy: Server;
  let port: number;

  beforeAll(async () => {
    proxy = await forward(await sharedElasticsearch());
    ({ port } = proxy.address() as AddressInfo);
    await new Promise((closed) => proxy.close(closed));
    late = await startCollector({
      env: {
        METRONOME_STORE: 'elasticsearch',
        METRONOME_ELASTICSEARCH_URL: `http://127.0.0.1:${port}`,
        METRONOME_ELASTICSEARCH_PREFIX: `late-${Date.now()}`,
        METRONOME_ELASTICSEARCH_REPLICAS: '0',
      },
    });
  });

  afterAll(async () => {
    await late.stop();
    proxy.closeAllConnections();
    proxy.close();
  });

  test('events are taken, readiness says what is not, and all is delivered when it is back', async () => {
    const ready = await fetch(`${late.url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      parts: { journal: { ready: true }, store: { ready: false, reason: expect.any(String) } },
    });
    const body = JSON.stringify(Array.from({ length: 10 }, () => ({ item: 'waiting' })));
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${late.url}/tick`, { method: 'POST', body, headers });
    expect(response.status).toBe(202);
    const unanswered = await fetch(`${late.url}/tock/waiting.json`);
    expect(unanswered.headers.get('retry-after')).toMatch(/^\d+$/u);
    expect((await problemOf(unanswered)).status).toBe(503);

    proxy.listen(port, '127.0.0.1');
    await eventually(async () => {
      const tock = await fetch(`${late.url}/tock/waiting.json`);
      const { views } = (await tock.json()) as { views: Record<string, number> };
      expect(Object.values(views ?? {})).toEqual([10]);
    });
    expect((await fetch(`${late.url}/ready`)).status).toBe(200);
  });
});

/** A plain HTTP forwarder, so that a real Elasticsearch can be away and come back. */
async function forward(target: string): Promise<Server> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks = await Array.fromAsync(request);
      const bodiless = request.method === 'GET' || request.method === 'HEAD';
      const answer = await fetch(target + request.url, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        ...(bodiless && chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
      });
      const headers = Object.fromEntries(answer.headers);
      delete headers['content-encoding'];
      delete headers['content-length'];
      delete headers['transfer-encoding'];
      response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('a command', () => {
  test('takes an option once, for of two visitors it would erase the last alone', async () => {
    const twice = ['erase', '--visitor', 'ann', '--visitor=bob', '--yes'];
    expect(await runMetronome(twice, { METRONOME_DATA_DIR: collector.dataDir })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'metronome: Give --visitor once.\n',
    });
  });

  test('does not choose between two configurations', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'metronome-configs-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'metronome.config.json'), '{}');
    writeFileSync(join(folder, 'metronome.config.ts'), 'export default {};');
    const env = { METRONOME_DATA_DIR: collector.dataDir };
    const { code, stderr } = await runMetronome(['audit'], env, folder);
    expect(stderr).toBe(
      'metronome: There are both metronome.config.json and metronome.config.ts: keep one, or name it by METRONOME_CONFIG.\n',
    );
    expect(code).toBe(2);
    const named = { ...env, METRONOME_CONFIG: 'metronome.config.ts' };
    expect(await runMetronome(['audit'], named, folder)).toMatchObject({ code: 0 });
  });
});

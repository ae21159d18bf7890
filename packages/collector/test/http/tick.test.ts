import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { MetronomeError } from '../../src/errors.ts';
import { Access } from '../../src/http/access.ts';
import { BodyMemory } from '../../src/http/body.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { problem } from '../../src/http/problem.ts';
import { RateLimit } from '../../src/http/rate-limit.ts';
import { tick, tickListener, tickRoutes } from '../../src/http/tick.ts';
import { createIntake } from '../../src/intake/intake.ts';

const zero = (): number => 0;
const metrics = createMetrics({
  journalBytes: zero,
  oldestWaitingS: zero,
  waiting: zero,
  storeErrors: zero,
  rejected: zero,
});
const appended: string[] = [];
const refusal = { reason: undefined as string | undefined };
const parts = {
  intake: createIntake({ salt: () => 'salt' }),
  journal: {
    begin() {
      const lines: string[] = [];
      return {
        add: (line: string) => void lines.push(line),
        commit() {
          if (refusal.reason !== undefined) {
            return Promise.reject(new MetronomeError('unavailable', refusal.reason));
          }
          appended.push(...lines);
          return Promise.resolve({ first: 1, last: lines.length });
        },
      };
    },
  },
  access: new Access({ writeKeys: [], readTokens: [], origins: ['https://listed.example'] }),
  rateLimit: new RateLimit({ perSecond: 0 }),
  metrics,
  trustedProxies: new BlockList(),
  bodyBytesMax: 1_000_000,
  bodyMemory: new BodyMemory(10_000_000),
  onAccepted: () => {},
  now: Date.now,
};
const app = new Hono<{ Bindings: HttpBindings }>();
app.post('/tick', (context) => tick(context, parts));
app.route('/tick', tickRoutes(parts));
app.onError((error, context) => problem(context, error));
const others = getRequestListener(app.fetch);
const server = createServer(tickListener(parts, (...both) => void others(...both)));
let url = '';

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tick`;
});

beforeEach(() => {
  appended.length = 0;
  metrics.seconds.reset();
  metrics.refused.reset();
});

afterAll(() => {
  server.close();
});

const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers });

/** How many answers the histogram has seen of a status. */
async function answersOf(status: number): Promise<number> {
  const { values } = await metrics.seconds.get();
  const count = values.find(
    ({ metricName, labels }) =>
      metricName === 'metronome_request_seconds_count' &&
      labels.route === '/tick' &&
      labels.status === String(status),
  );
  return count?.value ?? 0;
}

test('an accepted event is appended, answered and timed', async () => {
  const response = await post('{"item":"a"}');
  expect([response.status, await response.json()]).toEqual([202, { accepted: 1, rejected: [] }]);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(appended).toHaveLength(1);
  expect(await answersOf(202)).toBe(1);
});

test('a listed page may read the answer, whatever it says', async () => {
  const origin = 'https://listed.example';
  for (const [body, status] of [
    ['{"item":"a"}', 202],
    ['broken', 400],
  ] as const) {
    const response = await post(body, { origin });
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('vary')).toBe('Origin');
    expect(await answersOf(status)).toBe(1);
  }
});

test('events that are not taken are counted by reason, of a body that is taken in part or not', async () => {
  await post('[{"item":"a"},1,2,{"time":"yesterday"}]');
  await post('[3]');
  const { values } = await metrics.refused.get();
  expect(values.map(({ labels, value }) => [labels.reason, value])).toEqual([
    ['not a JSON object', 3],
    ['`time` cannot be read: send ISO 8601 or epoch milliseconds', 1],
  ]);
});

test('whoever tries keys out is slowed down, whoever has one is not', async () => {
  const { access, rateLimit } = parts;
  onTestFinished(() => void Object.assign(parts, { access, rateLimit }));
  const keys = { writeKeys: ['a-good-key'], readTokens: [], origins: [] };
  Object.assign(parts, {
    access: new Access(keys),
    rateLimit: new RateLimit({ perSecond: 0.001, burstS: 3_000 }),
  });
  const tried = async (key: string): Promise<number> =>
    (await post('{"item":"a"}', { authorization: `Bearer ${key}` })).status;
  const statuses: number[] = [];
  for (let tries = 0; tries < 4; tries++) statuses.push(await tried('another'));
  expect(statuses).toEqual([401, 401, 401, 429]);
  expect(await tried('a-good-key')).toBe(202);
});

test('each further thousand events of a body count as one request more', async () => {
  const { access, rateLimit } = parts;
  onTestFinished(() => void Object.assign(parts, { access, rateLimit }));
  const limited = async (events: number, headers = {}): Promise<number[]> => {
    Object.assign(parts, {
      access: new Access({
        writeKeys: ['a-good-key'],
        readTokens: [],
        origins: ['https://a.example'],
      }),
      rateLimit: new RateLimit({ perSecond: 0.001, burstS: 3_000 }),
    });
    const body = JSON.stringify(Array.from({ length: events }, () => ({ item: 'a' })));
    const statuses: number[] = [];
    for (let times = 0; times < 3; times++) {
      statuses.push((await post(body, { origin: 'https://a.example', ...headers })).status);
    }
    return statuses;
  };
  expect(await limited(1_000)).toEqual([202, 202, 202]);
  expect(await limited(1_001)).toEqual([202, 202, 429]);
  expect(await limited(3_001)).toEqual([202, 429, 429]);
  expect(await limited(3_001, { authorization: 'Bearer a-good-key' })).toEqual([202, 202, 202]);
});

test('a memory full of bodies is a 503 that says when to come back', async () => {
  const { bodyMemory } = parts;
  onTestFinished(() => void Object.assign(parts, { bodyMemory }));
  Object.assign(parts, { bodyMemory: new BodyMemory(100_000) });
  const response = await post(JSON.stringify({ item: 'a', title: 'x'.repeat(500_000) }));
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toMatch(/^\d+$/u);
  expect(await response.json()).toMatchObject({ detail: 'Too many large bodies arrive at once.' });
  expect(await answersOf(503)).toBe(1);
  expect((await post('{"item":"a"}')).status).toBe(202);
  expect(parts.bodyMemory.bytes).toBe(0);
});

test('a page that is not listed is told why', async () => {
  const response = await post('{"item":"a"}', { origin: 'https://other.example' });
  expect(response.status).toBe(403);
  expect(appended).toEqual([]);
  expect(await answersOf(403)).toBe(1);
});

test('a journal that refuses is a 503 that says when to come back', async () => {
  refusal.reason = 'The disk is full.';
  const response = await post('{"item":"a"}');
  refusal.reason = undefined;
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toMatch(/^\d+$/u);
  expect(await answersOf(503)).toBe(1);
});

test('another method is a 405, a preflight is answered', async () => {
  expect((await fetch(url)).status).toBe(405);
  const headers = {
    origin: 'https://listed.example',
    'access-control-request-method': 'POST',
  };
  const preflight = await fetch(url, { method: 'OPTIONS', headers });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('POST');
});

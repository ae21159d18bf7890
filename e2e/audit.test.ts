import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CollectorProcess, runMetronome, startCollector } from './collector-process.ts';
import { eventually } from './eventually.ts';
import { sharedElasticsearch } from './parts/shared-elasticsearch.ts';

interface AuditAnswer {
  readonly days: readonly {
    readonly acknowledged: number;
    readonly stored: number;
    readonly duplicates: number;
    readonly rejected: number;
    readonly waiting: number;
    readonly differences: readonly string[];
  }[];
  readonly agrees: boolean;
}

async function post(collector: CollectorProcess, events: unknown): Promise<void> {
  const response = await fetch(`${collector.url}/tick`, {
    method: 'POST',
    body: JSON.stringify(events),
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(202);
}

async function auditOf(
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; answer: AuditAnswer }> {
  const { code, stdout } = await runMetronome(['audit', '--json'], env);
  return { code, answer: JSON.parse(stdout) };
}

async function nothingWaits(env: Readonly<Record<string, string>>): Promise<void> {
  await eventually(async () => {
    const { answer } = await auditOf(env);
    expect(answer.days.map(({ waiting }) => waiting)).toEqual(answer.days.map(() => 0));
  });
}

describe('on DuckDB', () => {
  let collector: CollectorProcess;
  let env: Record<string, string>;

  beforeAll(async () => {
    collector = await startCollector();
    env = { METRONOME_DATA_DIR: collector.dataDir };
    const twice = { id: randomUUID(), time: Date.now(), item: 'a' };
    await post(collector, [twice, { item: 'b' }, { item: 'c' }]);
    await post(collector, twice);
  });

  afterAll(async () => {
    await collector.stop();
  });

  test('audit counts what became of every event, beside the collector and without it', async () => {
    await nothingWaits(env);
    const beside = await runMetronome(['audit'], env);
    expect(beside).toMatchObject({ code: 0, stderr: '' });
    const [, , titles = '', day = '', total = ''] = beside.stdout.split('\n');
    expect(titles.split(/ +/u)).toEqual(
      'day acknowledged stored duplicate rejected waiting erased expired'.split(' '),
    );
    expect(day.split(/ +/u).slice(1).map(Number)).toEqual([4, 3, 1, 0, 0, 0, 0]);
    expect(total.split(/ +/u).slice(1).map(Number)).toEqual([4, 3, 1, 0, 0, 0, 0]);
    expect(beside.stdout).toContain('Everything agrees.');

    expect(await collector.stop()).toBe(0);
    expect(await runMetronome(['audit'], env)).toEqual(beside);
    // A command upkeeps nothing: it would wait for ever.
    expect(await runMetronome(['rollups', '--wait'], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('and only it counts: start it with metronome start.'),
    });
    collector = await startCollector({ dataDir: collector.dataDir });
  });

  test('a command line that means nothing is one sentence', async () => {
    for (const args of [['rejects'], ['rejects', 'drop'], ['audit', '--yaml']]) {
      const { code, stderr } = await runMetronome(args, env);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^metronome: .+\n$/u);
    }
  });
});

test('events of a damaged journal are rejected with the place of the damage', async () => {
  // While the store is away everything stays in the journal.
  const away = {
    METRONOME_STORE: 'elasticsearch',
    METRONOME_ELASTICSEARCH_URL: 'http://127.0.0.1:9',
  };
  const before = await startCollector({ env: away });
  const { dataDir } = before;
  for (const item of ['first', 'second', 'third']) await post(before, { item });
  await before.kill();
  damage(join(dataDir, 'journal'), '"second"');

  const after = await startCollector({ dataDir });
  const env = { METRONOME_DATA_DIR: dataDir };
  await nothingWaits(env);
  const { code, answer } = await auditOf(env);
  expect(code).toBe(0);
  expect(answer.days).toMatchObject([{ acknowledged: 3, stored: 2, rejected: 1 }]);
  const listed = await runMetronome(['rejects', 'list'], env);
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout).toMatch(/^\S+ \w+:2 The journal is damaged: \S+, byte \d+\.\n$/u);
  await after.stop();
});

/** Changes one byte of the newest segment. */
function damage(folder: string, text: string): void {
  const name = readdirSync(folder).findLast((each) => each.endsWith('.journal')) ?? '';
  const bytes = readFileSync(join(folder, name));
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(0);
  bytes[at + 1] = 0;
  writeFileSync(join(folder, name), bytes);
}

describe('on Elasticsearch', () => {
  const prefix = `audit-${randomUUID()}`;
  const day = new Date().toISOString().slice(0, 10);
  const index = `${prefix}-${day.replaceAll('-', '.')}`;
  let server: string;
  let collector: CollectorProcess;
  let env: Record<string, string>;

  beforeAll(async () => {
    server = await sharedElasticsearch();
    // An index of another making stands in the way: its `item` is a number.
    const mappings = { properties: { item: { type: 'long' } } };
    await elasticsearch('PUT', `/${index}`, { mappings, settings: { number_of_replicas: 0 } });
    const settings = {
      METRONOME_STORE: 'elasticsearch',
      METRONOME_ELASTICSEARCH_URL: server,
      METRONOME_ELASTICSEARCH_PREFIX: prefix,
      METRONOME_ELASTICSEARCH_REPLICAS: '0',
    };
    collector = await startCollector({ env: settings });
    env = { ...settings, METRONOME_DATA_DIR: collector.dataDir };
  });

  afterAll(async () => {
    await collector.stop();
    await elasticsearch('DELETE', `/${index},${prefix}_state?ignore_unavailable=true`);
  });

  async function elasticsearch(method: string, path: string, body?: unknown): Promise<void> {
    const response = await fetch(server + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.status).toBe(200);
  }

  test('what the store refuses is listed with its reason, and retried when it is mended', async () => {
    const time = `${day}T00:00:00.000Z`;
    await post(collector, [
      { item: '7', id: 'good', time },
      { item: 'seven', id: 'bad', time },
    ]);
    await nothingWaits(env);
    expect(await auditOf(env)).toMatchObject({
      code: 0,
      answer: { days: [{ acknowledged: 2, stored: 1, rejected: 1, waiting: 0 }] },
    });
    const listed = await runMetronome(['rejects', 'list', '--json'], env);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      sequence: 2,
      reason: expect.stringMatching(/\w/u),
      event: { item: 'seven', 'event.id': 'bad' },
    });

    const mappings = { properties: { item: { type: 'keyword' } } };
    await elasticsearch('DELETE', `/${index}`);
    await elasticsearch('PUT', `/${index}`, { mappings, settings: { number_of_replicas: 0 } });
    const retried = await runMetronome(['rejects', 'retry'], env);
    expect(retried).toEqual({ code: 0, stdout: '1 rejected event appended anew.\n', stderr: '' });
    await nothingWaits(env);
    const again = await runMetronome(['rejects', 'retry'], env);
    expect(again.stdout).toBe('0 rejected events appended anew.\n');
    const marked = await runMetronome(['rejects', 'list'], env);
    expect(marked.stdout).toMatch(/\(retried \S+\)\n$/u);

    // The index that was deleted had the other event: audit misses it, and names it.
    const { code, answer } = await auditOf(env);
    expect(code).toBe(1);
    expect(answer.agrees).toBe(false);
    expect(answer.days).toMatchObject([{ acknowledged: 3, stored: 1, rejected: 1, waiting: 0 }]);
    expect(answer.days[0]?.differences).toEqual([
      expect.stringMatching(/^The store has lost 1 of the events from 1 to \d/u),
    ]);
    const table = await runMetronome(['audit'], env);
    expect(table.code).toBe(1);
    expect(table.stdout).toContain(`${day}: The store has lost 1 `);
  });
});

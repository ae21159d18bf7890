import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createForwarder } from '../packages/collector/test/store/elasticsearch/forwarder.ts';
import {
  type CollectorProcess,
  runMetronome,
  spawnMetronome,
  startCollector,
} from './collector-process.ts';
import { eventually } from './eventually.ts';
import { sharedElasticsearch } from './parts/shared-elasticsearch.ts';

const DAY_MS = 86_400_000;
/** More than one chunk of an export. */
const VIEWS = 300;

interface Counts {
  readonly acknowledged: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly waiting: number;
  readonly erased: number;
  readonly expired: number;
}

const prefix = `erasure-${randomUUID()}`;

const stores = [
  ['DuckDB', async () => ({ METRONOME_STORE: 'duckdb' })],
  [
    'Elasticsearch',
    async () => ({
      METRONOME_STORE: 'elasticsearch',
      METRONOME_ELASTICSEARCH_URL: await sharedElasticsearch(),
      METRONOME_ELASTICSEARCH_PREFIX: prefix,
      METRONOME_ELASTICSEARCH_REPLICAS: '0',
    }),
  ],
] as const satisfies readonly (readonly [string, () => Promise<Record<string, string>>])[];

afterAll(async () => {
  const server = await sharedElasticsearch();
  const answer = await fetch(`${server}/${prefix}*,cut-${prefix}*/_settings/index.uuid`);
  const indices = Object.keys((await answer.json()) as object);
  if (indices.length > 0) await fetch(`${server}/${indices.join(',')}`, { method: 'DELETE' });
  for (const name of [prefix, `cut-${prefix}`]) {
    await fetch(`${server}/_index_template/${name}`, { method: 'DELETE' });
  }
});

async function post(collector: CollectorProcess, events: unknown): Promise<number> {
  const response = await fetch(`${collector.url}/tick`, {
    method: 'POST',
    body: JSON.stringify(events),
    headers: { 'content-type': 'application/json' },
  });
  await response.body?.cancel();
  return response.status;
}

describe.each(stores)('on %s', (_, settings) => {
  const time = Date.now() - 60_000;
  const views = (visitor: string) =>
    Array.from({ length: VIEWS }, (__, index) => ({
      id: `${visitor}-${index}`,
      time: time + index,
      item: `item-${index % 3}`,
      visitor,
    }));
  let env: Record<string, string>;
  let collector: CollectorProcess;

  const metronome = (line: string) => runMetronome(line.split(' '), env);
  const exported = async (line: string): Promise<Record<string, unknown>[]> => {
    const { code, stdout, stderr } = await metronome(`export ${line}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.split('\n').flatMap((event) => (event === '' ? [] : [JSON.parse(event)]));
  };
  /** Once nothing waits and everything agrees. */
  const audited = async (): Promise<Counts> => {
    let sum: Counts | undefined;
    await eventually(async () => {
      const { code, stdout } = await metronome('audit --json');
      const { days }: { days: readonly Counts[] } = JSON.parse(stdout);
      const total = (name: keyof Counts): number => days.reduce((all, day) => all + day[name], 0);
      expect({ code, waiting: total('waiting') }).toEqual({ code: 0, waiting: 0 });
      sum = {
        acknowledged: total('acknowledged'),
        stored: total('stored'),
        duplicates: total('duplicates'),
        waiting: 0,
        erased: total('erased'),
        expired: total('expired'),
      };
    });
    return sum ?? expect.fail('not audited');
  };

  beforeAll(async () => {
    env = await settings();
    collector = await startCollector({ env });
    env = { ...env, METRONOME_DATA_DIR: collector.dataDir };
  });
  afterAll(() => collector.stop());

  test('a visitor can be exported, and erased with nothing left', async () => {
    // Nothing waits for the delivery here but the commands.
    expect(await post(collector, [...views('ann'), ...views('bob')])).toBe(202);
    const all = await exported('--visitor ann');
    expect(all.map((event) => event['event.id'])).toEqual(views('ann').map(({ id }) => id));
    expect(await exported('--visitor ann --item item-1 --app default')).toHaveLength(VIEWS / 3);

    expect(await metronome('erase --visitor ann')).toEqual({
      code: 1,
      stdout: `${VIEWS} events would be erased; --yes erases.\n`,
      stderr: '',
    });
    expect(await exported('--visitor ann')).toHaveLength(VIEWS);
    expect(await metronome('erase --visitor ann --yes')).toEqual({
      code: 0,
      stdout: `${VIEWS} events erased. Archived files and the reject log are not touched.\n`,
      stderr: '',
    });
    expect(await exported('--visitor ann')).toEqual([]);
    expect(await exported('--visitor bob')).toHaveLength(VIEWS);
    expect(await audited()).toMatchObject({ stored: VIEWS, erased: VIEWS, duplicates: 0 });
  });

  test('what is erased does not come back by a retry', async () => {
    expect(await post(collector, views('ann'))).toBe(202);
    expect(await exported('--visitor ann')).toEqual([]);
    expect(await audited()).toMatchObject({
      acknowledged: 3 * VIEWS,
      stored: VIEWS,
      erased: VIEWS,
      duplicates: VIEWS,
    });
  });

  test('both work where no collector runs', async () => {
    expect(await collector.stop()).toBe(0);
    expect(await exported('--item item-2 --visitor bob')).toHaveLength(VIEWS / 3);
    const erased = await metronome('erase --item item-2 --yes');
    expect(erased).toMatchObject({ code: 0, stderr: '' });
    expect(await exported('--item item-2')).toEqual([]);
    collector = await startCollector({ env, dataDir: collector.dataDir });
    expect(await audited()).toMatchObject({
      stored: (VIEWS * 2) / 3,
      erased: (VIEWS * 4) / 3,
    });
  });

  test('days beyond the retention are dropped, and refused from then on', async () => {
    const old = Array.from({ length: 5 }, (__, days) => ({
      id: `old-${days}`,
      time: Date.now() - (10 + days) * DAY_MS,
      item: 'old',
      visitor: 'old',
    }));
    expect(await post(collector, old)).toBe(202);
    expect(await exported('--visitor old')).toHaveLength(old.length);
    await collector.stop();
    env = { ...env, METRONOME_RETENTION_DAYS: '3' };
    collector = await startCollector({ env, dataDir: collector.dataDir });
    await eventually(async () => {
      expect(await audited()).toMatchObject({ expired: old.length });
    });
    expect(await exported('--visitor old')).toEqual([]);
    expect(await exported('--visitor bob')).toHaveLength((VIEWS * 2) / 3);
    expect(await post(collector, { ...old[0], id: 'late' })).toBe(400);
  });

  test('a command that names nothing, or nonsense, erases nothing and says why', async () => {
    const [day] = new Date(time).toISOString().split('T');
    for (const [line, code] of [
      ['erase --yes', 2],
      ['export', 2],
      ['erase --visitors ann --yes', 2],
      ['erase --from yesterday --yes', 1],
      ['erase --from 2026-02-30 --yes', 1],
      [`erase --from ${day} --to 2020-01-01 --yes`, 1],
      ['export --visitor=', 1],
    ] as const) {
      const answer = await metronome(line);
      expect(answer, line).toMatchObject({ code, stdout: '' });
      expect(answer.stderr).toMatch(/^metronome: .+\n$/u);
    }
    expect(await exported('--visitor bob')).toHaveLength((VIEWS * 2) / 3);
  });

  test('a period can be erased', async () => {
    const until = new Date(time + 100).toISOString();
    const before = await exported(`--visitor bob --to ${until}`);
    expect(before.length).toBeGreaterThan(0);
    await metronome(`erase --to ${until} --yes`);
    const left = await exported('--visitor bob');
    expect(left).toHaveLength((VIEWS * 2) / 3 - before.length);
    expect(left.every((event) => String(event['@timestamp']) >= until)).toBe(true);
    await audited();
  });
});

test('an export that breaks off says so, and one that cannot begin says why', async () => {
  const way = await createForwarder(await sharedElasticsearch());
  await way.open();
  const settings = {
    METRONOME_STORE: 'elasticsearch',
    METRONOME_ELASTICSEARCH_URL: way.url,
    METRONOME_ELASTICSEARCH_PREFIX: `cut-${prefix}`,
    METRONOME_ELASTICSEARCH_REPLICAS: '0',
  };
  const collector = await startCollector({ env: settings });
  const env = { ...settings, METRONOME_DATA_DIR: collector.dataDir };
  // More than what lies in the pipes between the store and the reader.
  const url = `https://www.example.org/${'a'.repeat(1_000)}`;
  await post(
    collector,
    Array.from({ length: 3_000 }, () => ({ item: 'long', url })),
  );
  const exporting = spawnMetronome(['export', '--item', 'long'], env);
  const { stdout, stderr } = exporting;
  if (stdout === null || stderr === null) throw new Error('no output');
  const said = text(stderr);
  await once(stdout, 'readable');
  await way.close();
  stdout.resume();
  const [code] = (await once(exporting, 'close')) as [number | null];
  expect({ code, stderr: await said }).toEqual({
    code: 1,
    stderr: 'metronome: The export broke off; it is not whole.\n',
  });

  const refused = await runMetronome(['export', '--item', 'long'], env);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^metronome: .*Elasticsearch.+\n$/u);
  await collector.stop();
});

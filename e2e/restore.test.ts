import { randomUUID } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CollectorProcess, runMetronome, startCollector } from './collector-process.ts';
import { eventually } from './eventually.ts';
import { sharedElasticsearch } from './parts/shared-elasticsearch.ts';

const DAY_MS = 86_400_000;
/** More than may wait to be delivered, and than one piece. */
const LONG = 30_000;
const prefix = `restore-${randomUUID()}`;

const elasticsearch = async (name: string): Promise<Record<string, string>> => ({
  METRONOME_STORE: 'elasticsearch',
  METRONOME_ELASTICSEARCH_URL: await sharedElasticsearch(),
  METRONOME_ELASTICSEARCH_PREFIX: `${prefix}-${name}`,
  METRONOME_ELASTICSEARCH_REPLICAS: '0',
});

const stores = [
  ['DuckDB', async () => ({ METRONOME_STORE: 'duckdb' })],
  ['Elasticsearch', elasticsearch],
] as const satisfies readonly (readonly [
  string,
  (name: string) => Promise<Record<string, string>>,
])[];

async function removeIndices(): Promise<void> {
  const server = await sharedElasticsearch();
  const answer = await fetch(`${server}/${prefix}*/_settings/index.uuid`);
  const indices = Object.keys((await answer.json()) as object);
  if (indices.length > 0) await fetch(`${server}/${indices.join(',')}`, { method: 'DELETE' });
  await fetch(`${server}/_index_template/${prefix}*`, { method: 'DELETE' });
}

describe.each(stores)('on %s', (store, settings) => {
  const now = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'metronome-restore-'));
  const archiveDir = join(folder, 'archive');
  const events = [
    { id: 'a', time: now - 60_000, item: 'both', visitor: 'ann' },
    { id: 'b', item: 'an id', visitor: 'ann' },
    { time: now - 60_000, item: 'a time', visitor: 'ann' },
    { item: 'neither', visitor: 'ann' },
    { time: now - 7_200_000, sent: now - 7_000_000, item: 'corrected', visitor: 'bob' },
    { item: 'neither', visitor: 'bob', größe: 1.5, labels: { text: ['a', 'ä'] } },
    { id: 'old', time: now - 10 * DAY_MS, item: 'old', visitor: 'bob' },
  ];
  let first: CollectorProcess;
  let env: Record<string, string>;
  let archived: string;

  const exported = async (of: Record<string, string>): Promise<Record<string, unknown>[]> => {
    const { code, stdout } = await runMetronome(['export', '--app', 'default'], of);
    expect(code).toBe(0);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  };
  const items = async (of: Record<string, string>): Promise<string[]> =>
    (await exported(of)).map(({ item }) => String(item)).toSorted();
  const agrees = async (of: Record<string, string>): Promise<void> => {
    await eventually(async () => {
      const { code, stdout } = await runMetronome(['audit', '--json'], of);
      const { days }: { days: readonly { waiting: number }[] } = JSON.parse(stdout);
      expect({ code, waiting: days.map(({ waiting }) => waiting) }).toEqual({
        code: 0,
        waiting: days.map(() => 0),
      });
    });
  };
  const restore = (of: Record<string, string>, ...files: string[]) =>
    runMetronome(['restore', ...files], of);

  beforeAll(async () => {
    env = { ...(await settings('first')), METRONOME_ARCHIVE_DIR: archiveDir };
    first = await startCollector({ env });
    env = { ...env, METRONOME_DATA_DIR: first.dataDir };
    const response = await fetch(`${first.url}/tick`, {
      method: 'POST',
      body: JSON.stringify(events),
      headers: { 'content-type': 'application/json' },
    });
    expect(await response.json()).toEqual({ accepted: events.length, rejected: [] });
    // A stop closes the segment, the next start archives it.
    await first.stop();
    first = await startCollector({ env, dataDir: first.dataDir });
    await eventually(async () => {
      expect(globSync(`${archiveDir}/*/*/*/*.gz`)).toHaveLength(1);
    });
    [archived = ''] = globSync(`${archiveDir}/*/*/*/*.gz`);
  });
  afterAll(async () => {
    await first.stop();
    if (store === 'Elasticsearch') await removeIndices();
  });

  test('nothing of what is there counts twice', async () => {
    const before = await exported(env);
    expect(before).toHaveLength(events.length);
    expect(await restore(env, archived)).toEqual({
      code: 0,
      stdout: `0 events restored. There already, erased or not to be stored: ${events.length}.\n`,
      stderr: '',
    });
    expect(await exported(env)).toEqual(before);
    await agrees(env);
  });

  test('what is erased stays erased', async () => {
    const erased = await runMetronome(['erase', '--visitor', 'ann', '--yes'], env);
    expect(erased.stdout).toContain('4 events erased.');
    expect(await restore(env, archived)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0 events restored\./u),
    });
    expect(await items(env)).toEqual(['corrected', 'neither', 'old']);
    await agrees(env);
  });

  test('another store gets all, once, and each as it was', async () => {
    const second = await startCollector({ env: await settings('second') });
    const other = { ...(await settings('second')), METRONOME_DATA_DIR: second.dataDir };
    const whole = `${events.length} events restored.\n`;
    expect(await restore(other, archived)).toEqual({ code: 0, stdout: whole, stderr: '' });
    const lines = gunzipSync(readFileSync(archived)).toString().split('\n').slice(0, -1);
    const atRest = lines.map((line): Record<string, unknown> => JSON.parse(line));
    const found = await exported(other);
    expect(found.map(known).toSorted(byItem)).toEqual(atRest.map(known).toSorted(byItem));
    // An export of it is the same events.
    const ndjson = join(folder, `${store}.ndjson`);
    const text = found.map((event) => `${JSON.stringify(event)}\n`).join('');
    writeFileSync(ndjson, text);
    const again = await restore(other, ndjson, archived);
    expect(again.stdout).toMatch(/^0 events restored\. There already.+: 14\.$/mu);
    await agrees(other);
    await second.stop();
    // Where no collector runs, the command opens the folder itself.
    await runMetronome(['erase', '--item', 'both', '--yes'], other);
    expect((await restore(other, archived)).stdout).toMatch(
      /^0 events restored\. There already.+: 7\.$/mu,
    );
    await agrees(other);
  });

  test('what is older than the retention is left out', async () => {
    const kept = { ...(await settings('kept')), METRONOME_RETENTION_DAYS: '3' };
    const collector = await startCollector({ env: kept });
    const other = { ...kept, METRONOME_DATA_DIR: collector.dataDir };
    expect(await restore(other, archived)).toEqual({
      code: 0,
      stdout: '6 events restored. Older than the retention: 1.\n',
      stderr: '',
    });
    expect(await items(other)).toHaveLength(6);
    await agrees(other);
    await collector.stop();
  });

  test('a long file goes in pieces, no faster than the store takes them', async () => {
    const collector = await startCollector({ env: await settings('long') });
    const other = { ...(await settings('long')), METRONOME_DATA_DIR: collector.dataDir };
    const [line = ''] = gunzipSync(readFileSync(archived)).toString().split('\n');
    const event = JSON.parse(line);
    const lines = Array.from({ length: LONG }, (_, index) =>
      JSON.stringify({ ...event, 'event.id': `é${index}` }),
    );
    const long = join(folder, `${store}-long.ndjson.gz`);
    writeFileSync(long, gzipSync([...lines, 'the last'].join('\n')));
    expect(await restore(other, long)).toEqual({
      code: 1,
      stdout: `${LONG} events restored. Not everything could be read.\n`,
      stderr: `metronome: ${long}:${LONG + 1}: not a JSON object\n`,
    });
    await agrees(other);
    await collector.stop();
  });

  test('a line that is no event is named, and the rest goes on', async () => {
    const [line = ''] = gunzipSync(readFileSync(archived)).toString().split('\n');
    const event = JSON.parse(line);
    const bad = join(folder, `${store}-bad.ndjson`);
    const torn = join(folder, `${store}-torn.ndjson.gz`);
    const lines = [
      line,
      'no JSON',
      JSON.stringify({ ...event, '@timestamp': 'yesterday' }),
      '',
      JSON.stringify({ ...event, 'event.id': undefined, 'journal.sequence': undefined }),
      JSON.stringify({ ...event, 'event.id': randomUUID() }),
    ];
    writeFileSync(bad, lines.join('\n'));
    writeFileSync(torn, gzipSync(lines.join('\n')).subarray(0, -20));
    const { code, stdout, stderr } = await restore(env, bad, torn);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^1 event restored\. There already.+ Not everything could/u);
    expect(stderr.split('\n').slice(0, 3)).toEqual([
      `metronome: ${bad}:2: not a JSON object`,
      `metronome: ${bad}:3: \`@timestamp\` is no time in UTC with milliseconds`,
      `metronome: ${bad}:5: neither \`event.id\` nor a place in a journal`,
    ]);
    expect(stderr).toMatch(new RegExp(`metronome: ${torn}:\\d: unexpected end of file\n$`, 'u'));
    await agrees(env);
  });

  test('a command line that means nothing is one sentence', async () => {
    for (const files of [[], [join(folder, 'nothing')], [folder], [archived, folder]]) {
      const { code, stdout, stderr } = await restore(env, ...files);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^metronome: .+\n$/u);
    }
    const help = await runMetronome(['restore', '--help'], env);
    expect(help.stdout).toContain('metronome restore FILE...');
  });
});

/** What an event was before it was given another place, and a name where it had none. */
function known(event: Record<string, unknown>): Record<string, unknown> {
  const { 'event.id': id, ...others } = event;
  const entries = Object.entries(others).filter(([key]) => !key.startsWith('journal.'));
  const isNamed = typeof id === 'string' && !id.startsWith('~');
  return { ...Object.fromEntries(entries), id: isNamed ? id : 'none' };
}

function byItem(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const nameOf = (event: Record<string, unknown>): string =>
    JSON.stringify([event['item'], event['user.id']]);
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

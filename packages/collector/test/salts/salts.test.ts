import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { sharedElasticsearch } from '../../../../e2e/parts/shared-elasticsearch.ts';
import { Salts } from '../../src/salts.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';
import { ElasticsearchStore } from '../../src/store/elasticsearch/store.ts';

const DAY_MS = 86_400_000;
const start = Date.parse('2026-11-23T12:00:00Z');
const folder = (): string => mkdtempSync(join(tmpdir(), 'metronome-salts-'));

const store = new ElasticsearchStore({
  nodes: [await sharedElasticsearch()],
  prefix: `salts-${randomUUID()}`,
  replicas: 0,
});

afterAll(async () => {
  await store.forgetSalts('9999-12-31');
  await store.close();
});

test('a salt holds over restarts, and differs from day to day', () => {
  const dataDir = folder();
  const salts = new Salts(dataDir, () => start);
  const today = salts.of('2026-11-23');
  expect(today).toMatch(/^[\w-]{43}$/u);
  expect(salts.of('2026-11-22')).not.toBe(today);
  expect(new Salts(dataDir, () => start).of('2026-11-23')).toBe(today);
});

test('collectors of one store agree on the salts of today and tomorrow', async () => {
  const one = new Salts(folder(), () => start);
  const other = new Salts(folder(), () => start);
  one.of('2026-11-23');
  other.of('2026-11-23');
  await Promise.all([one.agree(store), other.agree(store)]);
  for (const day of ['2026-11-23', '2026-11-24']) expect(one.of(day)).toBe(other.of(day));
});

test('salts before yesterday are destroyed, in the folder and in the store', async () => {
  const dataDir = folder();
  let now = start;
  const salts = new Salts(dataDir, () => now);
  await salts.agree(store);
  const first = salts.of('2026-11-23');
  now += 2 * DAY_MS;
  await salts.agree(store);
  expect(readFileSync(join(dataDir, 'salts.json'), 'utf8')).not.toContain(first);
  expect(await store.salt('2026-11-23', 'another')).toBe('another');
});

test('the embedded store takes what its one collector proposes', async () => {
  const dataDir = folder();
  const embedded = openDuckdbStore({ dataDir });
  const salts = new Salts(dataDir, () => start);
  const today = salts.of('2026-11-23');
  await salts.agree(embedded);
  expect(salts.of('2026-11-23')).toBe(today);
  await embedded.close();
});

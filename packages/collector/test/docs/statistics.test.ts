import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { FRESH_S } from '../../src/http/cache-control.ts';
import { NUMERIC_KEYS_MAX } from '../../src/store/elasticsearch/template.ts';
import { QUERY_LIMITS } from '../../src/query/query.ts';
import { parametersSchema, TOCK_LIMITS } from '../../src/tock/parameters.ts';
import { SAMPLE_LIMITS } from '../../src/tock/sessions.ts';
import { BUILT_IN } from '../../src/tock/statistics.ts';
import { items } from '../../src/tock/statistics/items.ts';
import { CANDIDATES_MAX } from '../../src/tock/statistics/recommendations.ts';
import { INTERVALS_MAX } from '../../src/tock/statistics/retention.ts';
import { PAGE_VIEWS_MAX } from '../../src/tock/statistics/time.ts';
import { tock } from '../../src/tock/statistics/tock.ts';
import { THRESHOLDS } from '../../src/tock/statistics/vitals.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../../../docs/${name}.md`, import.meta.url), 'utf8');
const [statistics, queries] = [read('statistics'), read('queries')];

/** The rows of a table of statistics.md as text. */
function rows(header: string): string[] {
  const [, table = ''] = statistics.split(`\n${header}\n`);
  const [, ...lines] = table.split('\n');
  return lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('|')),
  );
}

test('the parameters are documented as they are', () => {
  const { shape } = parametersSchema;
  expect(rows('| Parameter | Meaning |')).toEqual(
    Object.entries(shape).map(([name, { description }]) => `| \`${name}\` | ${description} |`),
  );
});

test('every built-in statistic is documented as it is', () => {
  const named = Object.entries({ tock, ...BUILT_IN, items });
  expect(rows('| Name | Definition |')).toEqual(
    named.map(([name, { meaning }]) => `| \`${name}\` | ${meaning} |`),
  );
  for (const [name] of named) expect(statistics).toContain(`\n### ${name}\n`);
});

test('the thresholds of web vitals are documented', () => {
  expect(rows('| Metric | good | poor |')).toEqual(
    Object.entries(THRESHOLDS).map(([name, limits]) => `| \`${name}\` | ${limits.join(' | ')} |`),
  );
});

test('the limits are those that are documented', () => {
  const said = (count: number): string => count.toLocaleString('en');
  for (const sentence of [
    `of at most ${TOCK_LIMITS.itemsMax} items`,
    `at most ${said(SAMPLE_LIMITS.visitorsMax)} visitors, the newest, and ${said(SAMPLE_LIMITS.eventsMax)} of their views`,
    `for the ${said(CANDIDATES_MAX)} items that share the most`,
    `of more than ${said(PAGE_VIEWS_MAX)} page views`,
    `At most ${INTERVALS_MAX} intervals, and ${said(QUERY_LIMITS.rowsMax)} visitors in each`,
    `${said(QUERY_LIMITS.rowsMax)} rows or more`,
    `Exact up to ${said(QUERY_LIMITS.distinctExactMax)} in each number, above that within ${QUERY_LIMITS.distinctError * 100} %`,
    `${FRESH_S.past / 60} minutes where all days of the period are over`,
  ]) {
    expect(statistics).toContain(sentence);
  }
  expect(queries).toContain(`the first ${said(NUMERIC_KEYS_MAX)} such keys`);
  expect(queries).toContain(`at most ${said(QUERY_LIMITS.rowsMax)}`);
});

test('the example of queries.md is read as it stands', async () => {
  const [, example = ''] = /```ts\n([^]*?)```/u.exec(queries) ?? [];
  expect(example).toContain('defineQuery');
  const config = fileURLToPath(new URL('../../src/config.ts', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'metronome-queries-'));
  const file = join(folder, 'config.ts');
  writeFileSync(file, example.replace('@metronome/collector', config));
  const { structure } = await readConfig({ METRONOME_CONFIG: file });
  rmSync(folder, { recursive: true });
  expect(Object.keys(structure.queries)).toEqual(['departments', 'checkout', 'loyalty']);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const page = read('docs/operations.md');

/** First cells of the table under a heading. */
function firstCells(heading: string): string[] {
  const [, rest = ''] = page.split(`\n## ${heading}\n`);
  const [section = ''] = rest.split('\n## ');
  const rows = [...section.matchAll(/^\| (.+?) \|/gmu)].map(([, cell = '']) => cell);
  return rows.filter((cell) => !/^-+$/u.test(cell)).slice(1);
}

test('every metric is there to alert on, and no other', async () => {
  const zero = (): number => 0;
  const gauges = {
    journalBytes: zero,
    oldestWaitingS: zero,
    waiting: zero,
    storeErrors: zero,
    rejected: zero,
  };
  const exposed = (await createMetrics(gauges).text()).matchAll(/^# TYPE (\w+)/gmu);
  const documented = firstCells('What to alert on').map((cell) => /\w+/u.exec(cell)?.[0]);
  expect(new Set(documented)).toEqual(new Set([...exposed].map(([, name]) => name)));
});

test('the sentences of a 503 are those of the collector', () => {
  const sources = ['journal/journal.ts', 'http/body.ts', 'http/problem.ts'].map((file) =>
    read(`packages/collector/src/${file}`),
  );
  const documented = firstCells('What a 503 means').filter((cell) => !cell.endsWith('…'));
  expect(documented.length).toBeGreaterThan(0);
  for (const sentence of documented) expect(sources.join('')).toContain(`'${sentence}'`);
});

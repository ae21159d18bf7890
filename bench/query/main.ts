/**
 * Measures answers over many events, and writes `RESULTS.md`.
 *
 *     npm run bench:query                          on both stores, some 70 minutes
 *     npm run bench:query -- --events 5000000      with other sizes, see `DEFAULTS`; 0 leaves one out
 *     npm run bench:query -- --keep /data/q        fills this folder, or takes what is in it
 *     npm run bench:query -- --elasticsearch 20000000 --events 0
 *
 * Each section of the results is replaced by a run that measures it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, loadAverage } from '../machine.ts';
import { DAY_MS } from './catalogue.ts';
import { measureDuckdb } from './duckdb.ts';
import { measureElasticsearch } from './elasticsearch.ts';
import { writeSection } from './report.ts';

const DEFAULTS = {
  events: '100000000',
  small: '1000000',
  sqlite: '10000000',
  elasticsearch: '20000000',
  items: '100000',
  days: '365',
  seed: '1',
  keep: '',
  /** Day after the last event, as `2026-11-24`; default: today. */
  until: '',
} as const;

const { values } = parseArgs({
  options: Object.fromEntries(
    Object.keys(DEFAULTS).map((name) => [name, { type: 'string' as const }]),
  ),
});
const given = (name: keyof typeof DEFAULTS): string => values[name] ?? DEFAULTS[name];

/** A visitor does eight things, as 12 million do of 100 million events. */
const size = (events: number) => ({
  events,
  days: Number(given('days')),
  items: Number(given('items')),
  visitors: Math.round(events * 0.12),
  seed: Number(given('seed')),
});

const root = mkdtempSync(join(tmpdir(), 'metronome-bench-query-'));
const until =
  given('until') === '' ? Math.floor(Date.now() / DAY_MS) * DAY_MS : Date.parse(given('until'));
const log = (line: string): void => console.log(`  ${line}`);
const circumstances = (): string =>
  `\`npm run bench:query -- ${process.argv.slice(2).join(' ')}\` · ${new Date().toISOString().slice(0, 16)} UTC · ${describeMachine()} · load average before: ${loadAverage().toFixed(2)}`;

try {
  const before = circumstances();
  const sizes = {
    large: size(Number(given('events'))),
    small: size(Number(given('small'))),
    sqliteEvents: Number(given('sqlite')),
  };
  if (sizes.large.events > 0) {
    const kept = given('keep');
    writeSection('duckdb', await measureDuckdb({ root, kept, until, log, ...sizes }), before);
  }
  const documents = Number(given('elasticsearch'));
  if (documents > 0) {
    const result = await measureElasticsearch({ root, size: size(documents), until, log });
    writeSection('elasticsearch', result, before);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

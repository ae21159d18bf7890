// `npm run chaos -- --seed 1 --kills 1000 --minutes 60 --store duckdb --store elasticsearch`
import { parseArgs } from 'node:util';
import { killRun } from './kill-run.ts';
import { type RunReport, textOf } from './report.ts';
import { anElasticsearch, duckdb, indicesOn, type StoreName } from './stores.ts';

const { values } = parseArgs({
  options: {
    /** Of the plan: moments of the kills, what clients send. */
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** On each store. */
    kills: { type: 'string', default: '100' },
    /** At most, on each store. */
    minutes: { type: 'string', default: '30' },
    store: { type: 'string', multiple: true, default: ['duckdb', 'elasticsearch'] },
    'no-faults': { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed);
const reports: RunReport[] = [];

for (const name of values.store as StoreName[]) {
  const elasticsearch = name === 'duckdb' ? undefined : await anElasticsearch();
  const store = elasticsearch === undefined ? duckdb() : indicesOn(elasticsearch.url);
  try {
    reports.push(
      await killRun({
        title: `Kills on ${name}, seed ${seed}`,
        store,
        seed,
        kills: Number(values.kills),
        deadline: Date.now() + Number(values.minutes) * 60_000,
        say: console.log,
      }),
    );
  } finally {
    await elasticsearch?.stop();
  }
  console.log(reports.map(textOf).at(-1));
}

process.exitCode = reports.every(({ violations }) => violations.length === 0) ? 0 : 1;

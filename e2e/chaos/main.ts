// `npm run chaos -- --seed 1 --kills 1000 --minutes 60 --store duckdb --store elasticsearch`
import { parseArgs } from 'node:util';
import { canMount, diskFull } from './disk-full.ts';
import { elasticsearchOutages, type FaultOptions, nodeLoss } from './elasticsearch-faults.ts';
import { killRun } from './kill-run.ts';
import { type RunReport, textOf } from './report.ts';
import { anElasticsearch, duckdb, indicesOn, STORE_NAMES, type StoreName } from './stores.ts';

const { values } = parseArgs({
  options: {
    /** Of the plan: moments of the kills, what clients send. */
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** On each store. */
    kills: { type: 'string', default: '100' },
    /** At most, on each store. */
    minutes: { type: 'string', default: '30' },
    store: { type: 'string', multiple: true, default: ['duckdb', 'elasticsearch'] },
    only: {
      type: 'string',
      multiple: true,
      default: ['kills', 'pair', 'disk', 'outages', 'nodes'],
    },
  },
});

// The parts end with this process, but only when it ends by itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

if (values.only.includes('disk') && !canMount) {
  throw new Error('Only root can mount a small disk: leave `disk` out with --only.');
}

const seed = Number(values.seed);
const reports: RunReport[] = [];

const keep = (report: RunReport): void => {
  reports.push(report);
  console.log(textOf(report));
};

const scene = (what: string): FaultOptions => ({
  title: `${what}, seed ${seed}`,
  seed,
  say: console.log,
});

async function kills(name: StoreName, title: string, collectors = 1): Promise<RunReport> {
  const elasticsearch = name === 'duckdb' ? undefined : await anElasticsearch();
  try {
    return await killRun({
      ...scene(title),
      collectors,
      store: elasticsearch === undefined ? duckdb() : indicesOn(elasticsearch.url),
      kills: Number(values.kills),
      deadline: Date.now() + Number(values.minutes) * 60_000,
    });
  } finally {
    await elasticsearch?.stop();
  }
}

if (values.only.includes('kills')) {
  for (const name of STORE_NAMES)
    if (values.store.includes(name)) keep(await kills(name, `Kills on ${name}`));
}
if (values.store.includes('elasticsearch') && values.only.includes('pair')) {
  keep(await kills('elasticsearch', 'Kills of two collectors of one elasticsearch', 2));
}
if (values.only.includes('disk')) {
  keep(await diskFull({ ...scene('Disk full on duckdb'), store: duckdb() }));
}
if (values.store.includes('elasticsearch') && values.only.includes('outages')) {
  keep(await elasticsearchOutages(scene('Outages of one Elasticsearch node')));
}
if (values.store.includes('elasticsearch') && values.only.includes('nodes')) {
  keep(await nodeLoss(scene('Three Elasticsearch nodes, each lost once')));
}

const isWhole = reports.every(
  ({ violations, kills: struck = Number(values.kills) }) =>
    violations.length === 0 && struck >= Number(values.kills),
);
process.exitCode = isWhole ? 0 : 1;

/**
 * Measures, and writes `RESULTS.md` and `results/NAME.json`.
 *
 *     npm run bench                           everything, some 25 minutes on a quiet machine
 *     npm run bench -- intake-single          one of them
 *     npm run bench -- --seconds 20 NAME…     with other sizes, see `DEFAULTS`
 */
import { parseArgs } from 'node:util';
import { type Benchmark, DEFAULTS, type Options, runBenchmark } from './benchmark.ts';
import { drainElasticsearch } from './benchmarks/drain-elasticsearch.ts';
import { intakeBatch, intakeLog, intakeSingle } from './benchmarks/intake.ts';
import { memory } from './benchmarks/memory.ts';
import { stages } from './benchmarks/stages.ts';
import { sustainedDuckdb } from './benchmarks/sustained-duckdb.ts';
import { tockLatency } from './benchmarks/tock-latency.ts';
import { twoProcesses } from './benchmarks/two-processes.ts';
import { describeMachine, loadAverage } from './machine.ts';
import { writeResult } from './results.ts';

const BENCHMARKS: readonly Benchmark[] = [
  intakeSingle,
  intakeBatch,
  intakeLog,
  sustainedDuckdb,
  drainElasticsearch,
  tockLatency,
  memory,
  twoProcesses,
  stages,
];

const sizes = Object.keys(DEFAULTS) as (keyof Options)[];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(sizes.map((name) => [name, { type: 'string' as const }])),
});
const options = Object.fromEntries(
  sizes.map((name) => [name, Number(values[name] ?? DEFAULTS[name])]),
) as unknown as Options;

for (const benchmark of chosen(positionals)) {
  console.log(benchmark.name);
  const loadBefore = loadAverage();
  const start = performance.now();
  const result = await runBenchmark(benchmark, options);
  const tookS = (performance.now() - start) / 1000;
  const command = ['npm run bench --', ...process.argv.slice(2).filter(isSize), benchmark.name];
  writeResult(benchmark, result, {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: describeMachine(),
    loadBefore,
    tookS,
    command: command.join(' '),
  });
}

function chosen(names: readonly string[]): readonly Benchmark[] {
  const unknown = names.filter((name) => !BENCHMARKS.some((one) => one.name === name));
  if (unknown.length > 0) {
    const known = BENCHMARKS.map(({ name }) => name).join(', ');
    throw new Error(`There is no benchmark ${unknown.join(', ')}; there are ${known}.`);
  }
  return names.length === 0 ? BENCHMARKS : BENCHMARKS.filter(({ name }) => names.includes(name));
}

/** `--seconds=2` or `--seconds 2`, but no name of a benchmark. */
function isSize(argument: string): boolean {
  return !BENCHMARKS.some(({ name }) => name === argument);
}

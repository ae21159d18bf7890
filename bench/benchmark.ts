import { rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One thing that is measured. */
export interface Benchmark {
  readonly name: string;
  /** A sentence or two: what is measured, beside what. */
  readonly meaning: string;
  readonly run: (context: Context) => Promise<Result>;
}

export interface Context {
  readonly options: Options;
  /** A folder that is gone when the benchmark ends. */
  readonly folder: (name: string) => string;
  readonly log: (line: string) => void;
}

export interface Options {
  /** Pairs of legs, A B A B; the median counts. */
  readonly pairs: number;
  /** Length of one leg. */
  readonly seconds: number;
  /** Of the journal that is drained into Elasticsearch. */
  readonly events: number;
  /** In the store while `tock-latency` asks. */
  readonly stored: number;
  /** Distinct ones that `memory` sends. */
  readonly visitors: number;
  /** Events a second that `sustained-duckdb` sends. */
  readonly rate: number;
}

export const DEFAULTS: Options = {
  pairs: 5,
  // Delivery rests up to four seconds while intake is busy: a shorter leg has much of it or none.
  seconds: 10,
  events: 2_000_000,
  stored: 1_000_000,
  visitors: 10_000_000,
  rate: 100_000,
};

export interface Result {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly verdicts: readonly Verdict[];
  /** Everything that was measured, for `results/NAME.json`. */
  readonly data: unknown;
}

/** What was asked for, and whether it is so. */
export interface Verdict {
  readonly kind: 'must' | 'aim';
  readonly says: string;
  readonly measured: string;
  readonly met: boolean;
}

/** Runs with a context of its own, and takes its folders away. */
export async function runBenchmark(benchmark: Benchmark, options: Options): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), 'metronome-bench-'));
  try {
    return await benchmark.run({
      options,
      folder: (name) => mkdtempSync(join(root, `${name}-`)),
      log: (line) => console.log(`  ${line}`),
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Alternates A and B, so that what else the machine does meets both. */
export async function inTurn<A, B>(
  pairs: number,
  a: (pair: number) => Promise<A>,
  b: (pair: number) => Promise<B>,
): Promise<readonly (readonly [A, B])[]> {
  const legs: [A, B][] = [];
  for (let pair = 0; pair < pairs; pair++) legs.push([await a(pair), await b(pair)]);
  return legs;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: quantile(values, 0), max: quantile(values, 1) };
}

/** With linear interpolation; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** `12,345 (11,000–13,000)`. */
export function shown(values: readonly number[], digits = 0): string {
  const { median, min, max } = spread(values);
  return `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

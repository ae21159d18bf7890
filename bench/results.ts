import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Benchmark, number, type Result, type Verdict } from './benchmark.ts';

/** When and where a benchmark ran. */
export interface Circumstances {
  readonly date: string;
  readonly machine: string;
  /** Load average of the machine just before. */
  readonly loadBefore: number;
  readonly tookS: number;
  readonly command: string;
}

const REPORT = fileURLToPath(new URL('RESULTS.md', import.meta.url));
const FOLDER = fileURLToPath(new URL('results/', import.meta.url));

/** Replaces the benchmark's own section of `RESULTS.md`, and what is beside it stays. */
export function writeResult(
  benchmark: Benchmark,
  result: Result,
  circumstances: Circumstances,
): void {
  const text = sectionOf(benchmark, result, circumstances);
  console.log(`\n${text}\n`);
  mkdirSync(FOLDER, { recursive: true });
  const json = {
    name: benchmark.name,
    ...circumstances,
    verdicts: result.verdicts,
    data: result.data,
  };
  writeFileSync(`${FOLDER}${benchmark.name}.json`, `${JSON.stringify(json, null, 2)}\n`);
  const report = existsSync(REPORT) ? readFileSync(REPORT, 'utf8') : '# Results\n';
  writeFileSync(REPORT, replaceSection(report, benchmark.name, text));
}

function replaceSection(report: string, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [before, rest] = report.split(begin);
  const [, after] = rest?.split(end) ?? [];
  const section = `${begin}\n${text}\n${end}`;
  return after === undefined
    ? `${report.trimEnd()}\n\n${section}\n`
    : `${before}${section}${after}`;
}

function sectionOf(
  { name, meaning }: Benchmark,
  { columns, rows, verdicts }: Result,
  { date, machine, loadBefore, tookS, command }: Circumstances,
): string {
  return [
    `## ${name}\n\n${meaning}\n`,
    tableOf(columns, rows),
    ...(verdicts.length === 0 ? [] : [`\n${verdicts.map(sentenceOf).join('\n')}`]),
    `\n\`${command}\` · ${date} UTC, took ${number(tookS)} s · ${machine} · load average before: ${number(loadBefore, 2)}. Medians with (least–most).`,
  ].join('\n');
}

function tableOf(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [columns, columns.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function sentenceOf({ kind, says, measured, met }: Verdict): string {
  return `- ${kind === 'must' ? 'Must' : 'Aim'}: ${says}. Measured: ${measured}: ${met ? 'met' : '**not met**'}.`;
}

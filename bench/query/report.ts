import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const REPORT = fileURLToPath(new URL('RESULTS.md', import.meta.url));

/** A section of the report. */
export interface Section {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What was asked for, and whether it is so. */
  readonly verdicts: readonly string[];
}

/** Replaces the section of this name in `RESULTS.md`, and what is beside it stays. */
export function writeSection(name: string, section: Section, circumstances: string): void {
  const text = [
    `## ${section.title}\n`,
    ...[section.columns, section.columns.map(() => '---'), ...section.rows].map(
      (cells) => `| ${cells.join(' | ')} |`,
    ),
    '',
    ...section.verdicts.map((one) => `- ${one}`),
    `\n${circumstances}`,
  ].join('\n');
  console.log(`\n${text}\n`);
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const report = existsSync(REPORT)
    ? readFileSync(REPORT, 'utf8')
    : '# Answers over many events\n\n';
  const [before = '', rest = end] = report.split(begin);
  const [, after = '\n'] = rest.split(end);
  writeFileSync(REPORT, `${before.trimEnd()}\n\n${begin}\n${text}\n${end}${after}`);
}

/** `Must: … Measured: …: met.` */
export function verdict(
  kind: 'Must' | 'Aim',
  says: string,
  measured: string,
  met: boolean,
): string {
  return `${kind}: ${says}. Measured: ${measured}: ${met ? 'met' : '**not met**'}.`;
}

/** `docs/comparison.md`. */
import type { Outcome } from './conform.ts';
import type { Compared } from './scope.ts';
import { LOADS, SLOWDOWN, type Started } from './startup.ts';

export interface Column {
  readonly name: string;
  readonly about: string;
  readonly version: string;
  /** What a page loads, each with its bytes after brotli 11. */
  readonly sizes: readonly (readonly [part: string, bytes: number])[];
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Reasons, by the name of the scenario. */
  readonly unclaimed: ReadonlyMap<string, string>;
}

export interface Comparison {
  readonly date: string;
  readonly machine: string;
  readonly browser: string;
  readonly columns: readonly Column[];
  readonly scenarios: readonly Compared[];
  readonly starts: Readonly<Record<string, Started>>;
  /** Of the machine, before the starts were measured. */
  readonly load: number;
}

export function comparisonText(comparison: Comparison): string {
  const { date, machine, browser, columns, starts, load } = comparison;
  return `# Comparison with other trackers

Written by \`npm run compare\` on ${date}, in ${browser}, ${machine}. Do not edit.

Each product comes from npm in the version below, bundled as a site would, and configured at its best (\`bench/compare/products/\`). All play the scenarios of the [conformance table](../e2e/sdk/scenarios) that are about more than our own options and calls, on the same pages, with the same clicks and the same failures of the network. What counts is what a collector would count: \`view\` by address, \`download\` by file, \`error\` and \`vital\` by their number and name, an event of the application exactly once, where the product sends an id with which a retry can be recognised.

The table was written for Metronome's own conformance, so it asks what Metronome set out to do. A product that does less by design is not worse for it: what it does not claim is left out of its sums.

${summary(comparison)}

## Start-up

Compiling and running the script on a processor slowed down ${SLOWDOWN} times, in fresh pages, in turns; median of ${LOADS} turns, and the range without the lowest and the highest tenth. The machine's load average was ${load.toFixed(1)} before; above 1, something else was running, and these figures are too high. The time of the processor alone (median, from the browser's trace, which adds its own) suffers less, and says in how many turns Metronome took less.

${startsTable(starts)}

## Scenario by scenario

✓ passes · ✗ does not · ○ decides otherwise, which is a policy and counts neither way · – not claimed

${columns.length === 0 ? '' : scenarioTables(comparison)}

## What came instead

${columns
  .map((column) => failures(column, comparison))
  .filter(Boolean)
  .join('\n\n')}

## What is not claimed

${columns.map(reasons).filter(Boolean).join('\n')}
`;
}

function summary({ columns, scenarios }: Comparison): string {
  const rooms = roomsOf(scenarios);
  return table(
    ['', 'version', 'bytes (brotli 11)', ...rooms, 'all'],
    columns.map((column) => [
      `**${column.name}**: ${column.about}`,
      column.version,
      column.sizes
        .map(([part, bytes]) => `${bytes.toLocaleString('en')}${part && ` ${part}`}`)
        .join(' + '),
      ...rooms.map((room) =>
        sum(
          column,
          scenarios.filter((one) => one.room === room),
        ),
      ),
      sum(column, scenarios),
    ]),
  );
}

/** Passed of claimed, without policies. */
function sum({ outcomes, unclaimed }: Column, scenarios: readonly Compared[]): string {
  const claimed = scenarios.filter(
    ({ scenario, policy }) => !policy && !unclaimed.has(scenario.name),
  );
  const passed = claimed.filter(({ scenario }) => outcomes.get(scenario.name)?.passes);
  return claimed.length === 0 ? '–' : `${passed.length}/${claimed.length}`;
}

export function startsTable(starts: Comparison['starts']): string {
  const rows = Object.entries(starts).map(
    ([name, { medianMs, lowMs, highMs, cpuMs, cpuMedianMs }]) => {
      const slower = cpuMs.filter((ms, turn) => ms > (starts['Metronome']?.cpuMs[turn] ?? ms));
      return [
        name,
        `${medianMs.toFixed(1)} ms`,
        `${lowMs.toFixed(1)} to ${highMs.toFixed(1)} ms`,
        `${cpuMedianMs.toFixed(1)} ms`,
        name === 'Metronome' ? '' : `${slower.length} of ${cpuMs.length}`,
      ];
    },
  );
  return table(['', 'median', 'range', 'processor', 'Metronome took less'], rows);
}

function scenarioTables({ columns, scenarios }: Comparison): string {
  return roomsOf(scenarios)
    .map((room) => {
      const rows = scenarios
        .filter((one) => one.room === room)
        .map((one) => [one.scenario.name, ...columns.map((column) => mark(column, one))]);
      return `### ${room}\n\n${table(['', ...columns.map(({ name }) => name)], rows)}`;
    })
    .join('\n\n');
}

function mark({ outcomes, unclaimed }: Column, { scenario: { name }, policy }: Compared): string {
  if (unclaimed.has(name)) return '–';
  if (outcomes.get(name)?.passes) return '✓';
  return policy ? '○' : '✗';
}

const INSTEAD_CHARS_MAX = 160;

function failures(column: Column, { scenarios }: Comparison): string {
  const failed = scenarios.filter(
    ({ scenario }) => column.outcomes.get(scenario.name)?.passes === false,
  );
  if (failed.length === 0) return '';
  const lines = failed.map(({ scenario: { name } }) => {
    const instead = column.outcomes.get(name)?.instead ?? '';
    return `- ${name}: ${instead.replaceAll('\n', ' ').slice(0, INSTEAD_CHARS_MAX)}`;
  });
  return `**${column.name}**\n\n${lines.join('\n')}`;
}

function reasons({ name, unclaimed }: Column): string {
  const found = [...new Set(unclaimed.values())];
  return found.length === 0 ? '' : `- ${name}: ${found.join('; ')}.`;
}

function roomsOf(scenarios: readonly Compared[]): string[] {
  return [...new Set(scenarios.map(({ room }) => room))];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [lineOf(head), lineOf(head.map(() => '---')), ...rows.map(lineOf)].join('\n');
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

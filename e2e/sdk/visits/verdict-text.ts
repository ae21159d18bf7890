/** A verdict, for people. */
import { FATES } from './front.ts';
import type { Row, Verdict } from './verdict.ts';

/** Rows whose share of events stored exactly once is below their target, as sentences. */
export function missedTargets({ rows }: Verdict): string[] {
  return rows
    .filter(({ target = 0, once, recorded }) => once < target * recorded)
    .map((row) => `${row.title}: ${percent(row.once, row.recorded)} stored exactly once.`);
}

/** A report for people, in Markdown. */
export function textOf(verdict: Verdict): string {
  const { rows, ticks, audit, visits, reported, outages } = verdict;
  const total = Object.values(visits).reduce((sum, number) => sum + number, 0);
  const ticked = Object.values(ticks).reduce((sum, number) => sum + number, 0);
  const engines = Object.entries(visits).map(([engine, number]) => `${number} ${engine}`);
  return [
    `${total} visits (${engines.join(', ')}) of ${verdict.visitors} visitors; ${verdict.broken} visitors whom the driver lost are left out.`,
    `${ticked} requests: ${FATES.map((fate) => `${ticks[fate]} ${fate}`).join(', ')}. The collector was killed ${outages.count} times, and away for ${Math.round(outages.awayMs / 1_000)} s in all.`,
    '',
    '| visits after which … | visits | events | stored once | twice | wait in the browser | gone | share | target |',
    '| --- | --: | --: | --: | --: | --: | --: | --: | --: |',
    ...rows.map(rowText),
    '',
    ...rows.filter(({ target, waiting }) => target && waiting).map(whyText),
    `Of the events that are gone, the SDK reported ${reported} as given up, visitor by visitor; ${verdict.untold} are of killed tabs, of which nobody could know.`,
    `The collector's audit: ${audit.acknowledged} acknowledged = ${audit.stored} stored + ${audit.duplicates} duplicate + ${audit.rejected} rejected + ${audit.waiting} waiting. Stored and never recorded: ${verdict.unknown}.`,
    ...[...verdict.violations, ...missedTargets(verdict)].map(
      (sentence) => `\nVIOLATION ${sentence}`,
    ),
  ].join('\n');
}

function whyText({ title, waiting, why }: Row): string {
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, number]) => `${number} ${name}`)
      .join(', ') || 'none';
  return [
    `What waits where ${title}: ${list(why.events)}, of ${why.stories.size} visitors. Never sent: ${why.untried} of ${waiting}. What became of each time that one was sent: ${list(why.tries)}.`,
    '',
    ...[...why.stories.values()].map((story) => `- ${story}`),
    '',
  ].join('\n');
}

function rowText(row: Row): string {
  const { title, visits, recorded, once, twice, waiting, gone, target } = row;
  const goal = target === undefined ? '' : `${target * 100} %`;
  return `| ${[title, visits, recorded, once, twice, waiting, gone, percent(once, recorded), goal].join(' | ')} |`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(3)} %`;
}

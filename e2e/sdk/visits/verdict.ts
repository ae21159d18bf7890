/** What became of every event that the SDK recorded. */
import { readConfig } from '../../../packages/collector/src/config.ts';
import { openStore } from '../../../packages/collector/src/store/open-store.ts';
import type { AuditCounts, Environment } from '../../chaos/verify.ts';
import { FATES, type Front } from './front.ts';
import type { Ledger, Recorded, Visitor } from './ledger.ts';
import { isFlooded } from './plan.ts';

/** Of the events of some visits. */
export interface Row {
  readonly title: string;
  /** Least share of events that are stored exactly once. */
  readonly target?: number;
  visits: number;
  recorded: number;
  once: number;
  twice: number;
  /** Not stored, but kept by the visitor's browser: the next visit would bring them. */
  waiting: number;
  /** Neither stored nor kept. */
  gone: number;
}

export interface Verdict {
  readonly rows: readonly Row[];
  /** What waits of visits that were the last, with the collector reachable: how many of each event. */
  readonly waitsFor: Readonly<Record<string, number>>;
  /** Gone events that the SDK itself reported as given up. */
  readonly reported: number;
  /** Gone events of tabs that were killed, of which nobody could know. */
  readonly untold: number;
  /** Stored, but never recorded. */
  readonly unknown: number;
  /** Visitors that the driver could not play to the end; they are in no row. */
  readonly broken: number;
  readonly visitors: number;
  readonly visits: Readonly<Record<string, number>>;
  readonly outages: number;
  readonly ticks: Front['counts'];
  readonly audit: AuditCounts;
  /** Empty when nothing was lost that nobody counted, and nothing is there twice; sentences. */
  readonly violations: readonly string[];
}

export interface Evidence {
  readonly ledger: Ledger;
  /** How often each id is in the store. */
  readonly stored: ReadonlyMap<string, number>;
  readonly front: Front;
  readonly audit: AuditCounts;
  readonly outages: number;
  /** What else went wrong, in sentences. */
  readonly faults: readonly string[];
}

const BROKEN_SHARE_MAX = 0.01;
const NAMED_MAX = 10;

/** The collector must not run: its store is opened here. */
export async function storedEvents(env: Environment): Promise<Map<string, number>> {
  const { settings } = await readConfig(env);
  const store = openStore(settings);
  const counts = new Map<string, number>();
  try {
    for await (const event of store.export({ app: 'default' })) {
      const id = String(event['event.id']);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  } finally {
    await store.close();
  }
  return counts;
}

export function judge(evidence: Evidence): Verdict {
  const { ledger, stored, front, audit, outages, faults } = evidence;
  const came = ledger.visitors.filter(({ events, broken }) => events.size > 0 || broken);
  const whole = came.filter(({ broken }) => broken === undefined);
  const rows = makeRows();
  const violations = [...faults];
  const waitsFor: Record<string, number> = {};
  let reported = 0;
  let untold = 0;
  for (const visitor of whole) {
    for (const visit of visitor.endings.keys()) rowOf(rows, visitor, visit).visits += 1;
    for (const event of visitor.events.values()) {
      const row = rowOf(rows, visitor, event.visit);
      const fate = fateOf(event, visitor, stored);
      count(row, fate);
      if (row === rows.last && fate === 'waiting') {
        waitsFor[event.event] = (waitsFor[event.event] ?? 0) + 1;
      }
    }
    const { gone, given, unseen } = accountOf(visitor, stored);
    if (gone !== given + unseen) violations.push(accusation(visitor, stored, gone, given));
    reported += given;
    untold += unseen;
  }
  const known = new Set(came.flatMap(({ events }) => [...events.keys()]));
  const unknown = [...stored.keys()].filter((id) => !known.has(id)).length;
  const broken = came.length - whole.length;
  const twice = totalOf(rows, 'twice');
  if (twice > 0) violations.push(`${twice} events are stored more than once.`);
  // The pages of a visitor that the driver lost may have told nothing of what they sent last.
  if (unknown > 0 && broken === 0) violations.push(`${unknown} stored events were never recorded.`);
  if (broken > came.length * BROKEN_SHARE_MAX) violations.push(`${broken} visitors are broken.`);
  if (front.others.size > 0) violations.push(`Not only ticks: ${[...front.others].join(', ')}.`);
  return {
    rows: Object.values(rows),
    waitsFor,
    reported,
    untold,
    unknown,
    broken,
    visitors: came.length,
    visits: visitsByEngine(whole),
    outages,
    ticks: front.counts,
    audit,
    violations,
  };
}

/** Rows whose share of events stored exactly once is below their target, as sentences. */
export function missedTargets({ rows }: Verdict): string[] {
  return rows
    .filter(({ target = 0, once, recorded }) => once < target * recorded)
    .map((row) => `${row.title}: ${percent(row.once, row.recorded)} stored exactly once.`);
}

type RowName = 'back' | 'last' | 'unreachable' | 'flooded';

function makeRows(): Record<RowName, Row> {
  const row = (title: string, target?: number): Row => ({
    title,
    ...(target !== undefined && { target }),
    visits: 0,
    recorded: 0,
    once: 0,
    twice: 0,
    waiting: 0,
    gone: 0,
  });
  return {
    back: row('the visitor comes back', 0.999),
    last: row('the visitor does not', 0.99),
    unreachable: row('the same, with the collector unreachable at the end'),
    flooded: row('visitors with more than the SDK keeps'),
  };
}

function rowOf(rows: Record<RowName, Row>, visitor: Visitor, visit: number): Row {
  const { plan, endings } = visitor;
  if (isFlooded(plan)) return rows.flooded;
  if (visit + 1 < endings.length) return rows.back;
  return endings[visit]?.unreachable ? rows.unreachable : rows.last;
}

type Fate = 'once' | 'twice' | 'waiting' | 'gone';

function fateOf({ id }: Recorded, { waiting }: Visitor, stored: Evidence['stored']): Fate {
  const copies = stored.get(id) ?? 0;
  if (copies > 0) return copies === 1 ? 'once' : 'twice';
  return waiting.has(id) ? 'waiting' : 'gone';
}

function count(row: Row, fate: Fate): void {
  row.recorded += 1;
  row[fate] += 1;
}

/**
 * Gone events of a visitor: `given` up, as the `dropped` events say that are not gone themselves,
 * and `unseen`, as far as a tab was killed.
 */
function accountOf(
  visitor: Visitor,
  stored: Evidence['stored'],
): { gone: number; given: number; unseen: number } {
  const events = [...visitor.events.values()];
  const isGone = (note: Recorded): boolean => fateOf(note, visitor, stored) === 'gone';
  const given = events
    .filter((note) => note.event === 'dropped' && !isGone(note))
    .reduce((sum, { value = 0 }) => sum + value, 0);
  const goneOf = events.filter(isGone);
  const ofKilled = goneOf.filter(({ visit }) => visitor.endings[visit]?.killed).length;
  const gone = goneOf.length;
  return { gone, given, unseen: Math.min(ofKilled, Math.max(0, gone - given)) };
}

function accusation(
  visitor: Visitor,
  stored: Evidence['stored'],
  gone: number,
  given: number,
): string {
  const { plan, events, endings } = visitor;
  const lost = [...events.values()].filter((note) => fateOf(note, visitor, stored) === 'gone');
  const named = lost.slice(0, NAMED_MAX).map(({ visit, event }) => `${event} of visit ${visit}`);
  const ends = endings.map(({ killed, unreachable }) => [killed && 'killed', unreachable && 'cut']);
  return `${plan.engine} ${plan.name}: ${gone} gone, ${given} reported: ${named.join(', ')}; ${JSON.stringify(ends)}.`;
}

function totalOf(rows: Record<string, Row>, name: Fate): number {
  return Object.values(rows).reduce((sum, row) => sum + row[name], 0);
}

function visitsByEngine(visitors: readonly Visitor[]): Record<string, number> {
  const visits: Record<string, number> = {};
  for (const { plan, endings } of visitors) {
    visits[plan.engine] = (visits[plan.engine] ?? 0) + endings.length;
  }
  return visits;
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(3)} %`;
}

/** A report for people, in Markdown. */
export function textOf(verdict: Verdict): string {
  const { rows, ticks, audit, visits, reported } = verdict;
  const total = Object.values(visits).reduce((sum, number) => sum + number, 0);
  const ticked = Object.values(ticks).reduce((sum, number) => sum + number, 0);
  const engines = Object.entries(visits).map(([engine, number]) => `${number} ${engine}`);
  return [
    `${total} visits (${engines.join(', ')}) of ${verdict.visitors} visitors; ${verdict.broken} visitors whom the driver lost are left out.`,
    `${ticked} requests: ${FATES.map((fate) => `${ticks[fate]} ${fate}`).join(', ')}. The collector was killed ${verdict.outages} times.`,
    '',
    '| visits after which … | visits | events | stored once | twice | wait in the browser | gone | share | target |',
    '| --- | --: | --: | --: | --: | --: | --: | --: | --: |',
    ...rows.map(rowText),
    '',
    `Of the visitors who do not come back, with the collector reachable: ${waitsForText(verdict)} wait in the browser.`,
    `Of the events that are gone, the SDK reported ${reported} as given up, visitor by visitor; ${verdict.untold} are of killed tabs, of which nobody could know.`,
    `The collector's audit: ${audit.acknowledged} acknowledged = ${audit.stored} stored + ${audit.duplicates} duplicate + ${audit.rejected} rejected + ${audit.waiting} waiting. Stored and never recorded: ${verdict.unknown}.`,
    ...[...verdict.violations, ...missedTargets(verdict)].map(
      (sentence) => `\nVIOLATION ${sentence}`,
    ),
  ].join('\n');
}

function waitsForText({ waitsFor }: Verdict): string {
  const kinds = Object.entries(waitsFor).map(([event, number]) => `${number} ${event}`);
  return kinds.join(', ') || 'no events';
}

function rowText(row: Row): string {
  const { title, visits, recorded, once, twice, waiting, gone, target } = row;
  const goal = target === undefined ? '' : `${target * 100} %`;
  return `| ${[title, visits, recorded, once, twice, waiting, gone, percent(once, recorded), goal].join(' | ')} |`;
}

/** What became of every event that the SDK recorded. */
import { readConfig } from '../../../packages/collector/src/config.ts';
import { openStore } from '../../../packages/collector/src/store/open-store.ts';
import type { AuditCounts, Environment } from '../../chaos/verify.ts';
import type { Front, Try } from './front.ts';
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
  readonly why: Why;
}

/** Of what waits. */
interface Why {
  /** How many of each event. */
  readonly events: Record<string, number>;
  /** What became of each time that one was sent. */
  readonly tries: Record<string, number>;
  /** Never sent at all. */
  untried: number;
  /** What happened to whom. */
  readonly stories: Map<Visitor, string>;
}

export interface Verdict {
  readonly rows: readonly Row[];
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
  readonly outages: Outages;
  readonly ticks: Front['counts'];
  readonly audit: AuditCounts;
  /** Empty when nothing was lost that nobody counted, and nothing is there twice; sentences. */
  readonly violations: readonly string[];
}

/** Of the collector: how often it was killed, and for how long it was away, its starts included. */
export interface Outages {
  readonly count: number;
  readonly awayMs: number;
}

/** An event in the store. */
export interface Stored {
  readonly copies: number;
  readonly event: string;
  readonly url: string;
}

export interface Evidence {
  readonly ledger: Ledger;
  /** What is in the store, by id. */
  readonly stored: ReadonlyMap<string, Stored>;
  readonly front: Front;
  readonly audit: AuditCounts;
  readonly outages: Outages;
  /** What else went wrong, in sentences. */
  readonly faults: readonly string[];
}

const BROKEN_SHARE_MAX = 0.01;
const NAMED_MAX = 10;

/** The collector must not run: its store is opened here. */
export async function storedEvents(env: Environment): Promise<Map<string, Stored>> {
  const { settings } = await readConfig(env);
  const store = openStore(settings);
  const events = new Map<string, Stored>();
  try {
    for await (const event of store.export({ app: 'default' })) {
      const id = String(event['event.id']);
      const copies = (events.get(id)?.copies ?? 0) + 1;
      events.set(id, {
        copies,
        event: String(event['event.action']),
        url: String(event['url.full']),
      });
    }
  } finally {
    await store.close();
  }
  return events;
}

export function judge(evidence: Evidence): Verdict {
  const { ledger, stored, front, audit, outages, faults } = evidence;
  const came = ledger.visitors.filter(({ events, broken }) => events.size > 0 || broken);
  const whole = came.filter(({ broken }) => broken === undefined);
  const rows = makeRows();
  const violations = [...faults];
  let reported = 0;
  let untold = 0;
  for (const visitor of whole) {
    for (const visit of visitor.endings.keys()) rowOf(rows, visitor, visit).visits += 1;
    for (const event of visitor.events.values()) {
      const row = rowOf(rows, visitor, event.visit);
      const fate = fateOf(event, visitor, stored);
      row.recorded += 1;
      row[fate] += 1;
      if (fate === 'waiting') explain(row.why, visitor, event, front.triesOf(event.id));
    }
    const { gone, given, unseen } = accountOf(visitor, stored);
    if (gone !== given + unseen) violations.push(accusation(visitor, stored, gone, given));
    reported += given;
    untold += unseen;
  }
  const known = new Set(came.flatMap(({ events }) => [...events.keys()]));
  const strange = [...stored].filter(([id]) => !known.has(id));
  const unknown = strange.length;
  const broken = came.length - whole.length;
  const twice = totalOf(rows, 'twice');
  if (twice > 0) violations.push(`${twice} events are stored more than once.`);
  // The pages of a visitor that the driver lost may have told nothing of what they sent last.
  if (unknown > 0 && broken === 0) {
    const named = strange.slice(0, NAMED_MAX).map(([, { event, url }]) => `${event} of ${url}`);
    violations.push(`${unknown} stored events were never recorded: ${named.join(', ')}.`);
  }
  if (broken > came.length * BROKEN_SHARE_MAX) violations.push(`${broken} visitors are broken.`);
  if (front.others.size > 0) violations.push(`Not only ticks: ${[...front.others].join(', ')}.`);
  return {
    rows: Object.values(rows),
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
    why: { events: {}, tries: {}, untried: 0, stories: new Map() },
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
  return endings[visit]?.isCutOff() ? rows.unreachable : rows.last;
}

type Fate = 'once' | 'twice' | 'waiting' | 'gone';

function fateOf({ id }: Recorded, { waiting }: Visitor, stored: Evidence['stored']): Fate {
  const { copies } = stored.get(id) ?? { copies: 0 };
  if (copies > 0) return copies === 1 ? 'once' : 'twice';
  return waiting.has(id) ? 'waiting' : 'gone';
}

function explain(why: Why, visitor: Visitor, event: Recorded, tries: readonly Try[]): void {
  why.events[event.event] = (why.events[event.event] ?? 0) + 1;
  for (const { fate } of tries) why.tries[fate] = (why.tries[fate] ?? 0) + 1;
  if (tries.length === 0) why.untried += 1;
  if (!why.stories.has(visitor)) why.stories.set(visitor, storyOf(visitor, event, tries));
}

/** In seconds since the visitor came. */
function storyOf({ plan, endings }: Visitor, event: Recorded, tries: readonly Try[]): string {
  const [{ from: start } = { from: 0 }] = endings;
  const seconds = (at: number): string => ((at - start) / 1_000).toFixed(1);
  const visits = endings.map(
    ({ from, to, killed }) => `${seconds(from)} to ${seconds(to)}${killed ? ' killed' : ''}`,
  );
  const sent = tries.map(({ at, fate }) => `${seconds(at)} ${fate}`);
  return `${plan.engine} ${plan.name}: visits ${visits.join(', ')}; its ${event.event} of visit ${event.visit} was ${sent.length > 0 ? `sent at ${sent.join(', ')}` : 'never sent'}.`;
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
  const ends = endings.map(({ killed }) => (killed ? 'killed' : 'ended'));
  return `${plan.engine} ${plan.name}: ${gone} gone, ${given} reported: ${named.join(', ')}; visits ${ends.join(', ')}.`;
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

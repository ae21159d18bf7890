/** Who visits, and what they do: chosen by the seed, before anything runs. */
import type { Chance } from '../../chaos/chance.ts';
import type { Engine } from '../../parts/browser.ts';
import { MIX } from './mix.ts';

export interface VisitorPlan {
  /** Also the first label of the host that is visited: storage belongs to an origin. */
  readonly name: string;
  readonly engine: Engine;
  readonly visits: readonly VisitPlan[];
}

export interface VisitPlan extends TabPlan {
  /** A second tab meanwhile, in front. */
  readonly second?: TabPlan & { readonly atMs: number };
  /** The tab is killed at this moment, if it lives that long. */
  readonly killAtMs?: number;
  /** Before the visit. */
  readonly absenceMs: number;
}

/** What happens in one tab, by ms after its load. */
export interface TabPlan {
  readonly actions: readonly Action[];
  readonly ms: number;
  readonly end: 'leave' | 'close';
  /** The last actions are done in the task in which it ends. */
  readonly hasty: boolean;
}

export interface Action {
  readonly atMs: number;
  readonly what: 'beat' | 'push' | 'download' | 'error';
  /** Of beats, so many at once, each padded by so many bytes. */
  readonly events?: number;
  readonly bytes?: number;
}

const ACTIONS = ['beat', 'beat', 'beat', 'push', 'download', 'error'] as const;
const SECOND_TAB_MS = [800, 2_000] as const;
const SECOND_TAB_ACTIONS = [1, 4] as const;

export type Shares = Partial<Record<Engine, number>>;

/** At least so many visits, shared among the engines. */
export function planVisitors(chance: Chance, visits: number, shares: Shares): VisitorPlan[] {
  const planned: VisitorPlan[] = [];
  for (const [engine, share] of Object.entries(shares) as [Engine, number][]) {
    for (let count = 0; count < visits * share;) {
      const visitor: VisitorPlan = {
        name: `v${planned.length}`,
        engine,
        visits: planVisitor(chance, killsOf(engine, shares)),
      };
      planned.push(visitor);
      count += visitor.visits.length;
    }
  }
  return planned;
}

/** Where tabs cannot be killed, others are killed in their stead. */
function killsOf(engine: Engine, { [MIX.killable]: killable = 1 }: Shares): number {
  return engine === MIX.killable ? MIX.tabsKilled / killable : 0;
}

function planVisitor(chance: Chance, kills: number): VisitPlan[] {
  const visits: VisitPlan[] = [];
  let returns: boolean;
  do {
    returns = visits.length + 1 < MIX.visitsMax && chance.happens(MIX.returns);
    visits.push(planVisit(chance, returns, kills));
  } while (returns);
  return visits;
}

function planVisit(chance: Chance, returns: boolean, kills: number): VisitPlan {
  const ms = between(chance, MIX.visitMs);
  const tab = planTab(chance, ms, between(chance, MIX.actions));
  const absenceMs = between(chance, MIX.absenceMs);
  const atMs = chance.below(ms);
  if (chance.happens(kills)) return { ...tab, absenceMs, killAtMs: atMs };
  const actions = [...tab.actions];
  if (chance.happens(MIX.bursts)) actions.push({ atMs, what: 'beat', ...MIX.burst });
  if (returns && chance.happens(MIX.floods)) actions.push({ atMs, what: 'beat', ...MIX.flood });
  const visit = { ...tab, actions: inOrder(actions), absenceMs };
  if (!chance.happens(MIX.secondTabs)) return visit;
  const second = planTab(
    chance,
    between(chance, SECOND_TAB_MS),
    between(chance, SECOND_TAB_ACTIONS),
  );
  return { ...visit, second: { ...second, end: 'close', atMs } };
}

function planTab(chance: Chance, ms: number, count: number): TabPlan {
  const actions = Array.from({ length: count }, () => ({
    atMs: chance.below(ms),
    what: chance.pick(ACTIONS),
  }));
  const ordered = inOrder(actions);
  return {
    actions: ordered,
    ms,
    end: chance.happens(MIX.closes) ? 'close' : 'leave',
    // Firefox lets the link win over what the page does after it.
    hasty: chance.happens(MIX.hastyEnds) && ordered.at(-1)?.what !== 'download',
  };
}

const inOrder = (actions: readonly Action[]): Action[] =>
  actions.toSorted((one, other) => one.atMs - other.atMs);

export function between(chance: Chance, [from, to]: readonly [number, number]): number {
  return from + chance.below(to - from + 1);
}

/** Whether more is recorded at once than the SDK keeps for later. */
export function isFlooded({ visits }: VisitorPlan): boolean {
  return visits.some(({ actions }) => actions.some(({ bytes = 0 }) => bytes === MIX.flood.bytes));
}

export interface Spell {
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
}

/** When a visitor is offline in this time: spells and pauses whose lengths are exponential. */
export function offlineSpells(chance: Chance, { from, to }: Spell): Spell[] {
  const onlineMeanMs = MIX.offlineMeanMs * (1 / MIX.timeOffline - 1);
  const spells: Spell[] = [];
  let offline = chance.happens(MIX.timeOffline);
  for (let at = from; at < to; offline = !offline) {
    const end = at + exponential(chance, offline ? MIX.offlineMeanMs : onlineMeanMs);
    if (offline) spells.push({ from: at, to: end });
    at = end;
  }
  return spells;
}

export function exponential(chance: Chance, mean: number): number {
  return -mean * Math.log(1 - chance.next());
}

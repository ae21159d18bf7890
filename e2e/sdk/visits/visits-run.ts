/** Visitors in real browsers, a collector that is killed now and then, and what its store holds. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { type Chance, chanceOf } from '../../chaos/chance.ts';
import { endOf, untilNothingWaits } from '../../chaos/report.ts';
import { makeSeat, type Seat } from '../../chaos/seat.ts';
import { duckdb } from '../../chaos/stores.ts';
import { auditBy } from '../../chaos/verify.ts';
import { type Engine, ensureBrowsers, openBrowser, type Page } from '../../parts/browsers.ts';
import { openFirefox } from '../../parts/puppeteer-browser.ts';
import { type Front, startFront } from './front.ts';
import { type Ending, Ledger } from './ledger.ts';
import { MIX } from './mix.ts';
import {
  between,
  exponential,
  offlineSpells,
  planVisitors,
  type Shares,
  type VisitorPlan,
  type VisitPlan,
} from './plan.ts';
import { judge, type Outages, storedEvents, type Verdict } from './verdict.ts';
import { startVisitSite, type VisitSite } from './visit-site.ts';

export interface VisitsOptions {
  readonly seed: number;
  /** At least. */
  readonly visits: number;
  /** Of the visits. */
  readonly engines: Shares;
  /** Visitors at once. */
  readonly lanes: Partial<Record<Engine, number>>;
  /** Epoch ms; no visitor comes after it. */
  readonly deadline: number;
  /** Told how far it is. */
  readonly say?: (line: string) => void;
}

interface Scene {
  readonly chance: Chance;
  readonly ledger: Ledger;
  readonly front: Front;
  readonly site: VisitSite;
  readonly deadline: number;
  readonly say: (line: string) => void;
}

/** What is still on its way when the last visitor has gone. */
const LATE_MS = 3_000;
const VISIT_MS_MAX = 120_000;
/** Offline spells are planned for so much longer than a visit is. */
const SPELLS_MS = 60_000;

export async function visitsRun(options: VisitsOptions): Promise<Verdict> {
  const { seed, visits, engines, lanes, deadline, say = () => {} } = options;
  const chance = chanceOf(seed);
  await ensureBrowsers(Object.keys(lanes) as Engine[]);
  const plans = planVisitors(chance, visits, engines);
  const ledger = new Ledger(plans);
  const seat = await makeSeat(duckdb().env);
  const front = await startFront(seat.url, chance.fork());
  const site = await startVisitSite(plans, ledger, front.origin);
  const scene: Scene = { chance, ledger, front, site, deadline, say };
  try {
    await seat.start().listening;
    const outages = startOutages(seat, front, chance.fork());
    const played = Object.entries(lanes).flatMap(([engine, count]) => {
      const queue = plans.filter((plan) => plan.engine === engine);
      return Array.from({ length: count }, () => playLane(scene, engine as Engine, queue));
    });
    const results = await Promise.allSettled(played);
    const away = await outages.stop();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await delay(LATE_MS);

    await untilNothingWaits(seat.url);
    const { counts: audit, differences } = await auditBy(seat.env);
    const ends = seat.victim ? await endOf(seat.victim) : [];
    const stored = await storedEvents(seat.env);
    return judge({
      ledger,
      stored,
      front,
      audit,
      outages: away,
      faults: [...differences, ...ends],
    });
  } finally {
    await Promise.all([site.close(), front.close(), seat.victim?.kill()]);
    rmSync(seat.dataDir, { recursive: true, force: true });
  }
}

/** The collector dies and comes back; `stop` leaves it running, and tells how often it did. */
function startOutages(seat: Seat, front: Front, chance: Chance): { stop(): Promise<Outages> } {
  const stopper = new AbortController();
  let count = 0;
  let awayMs = 0;
  const run = async (): Promise<void> => {
    for (;;) {
      const pauseMs = exponential(chance, MIX.outageEveryMeanMs);
      await delay(pauseMs, undefined, { signal: stopper.signal });
      front.down = true;
      const from = Date.now();
      await seat.victim?.kill();
      await delay(between(chance, MIX.outageMs));
      await seat.start().listening;
      front.down = false;
      awayMs += Date.now() - from;
      count += 1;
    }
  };
  const running = run().catch((error: unknown) => {
    if (!stopper.signal.aborted) throw error;
  });
  running.catch(() => {});
  return {
    async stop() {
      stopper.abort();
      await running;
      return { count, awayMs };
    },
  };
}

/** One window of an engine, in which one visitor comes after the other. */
async function playLane(scene: Scene, engine: Engine, queue: VisitorPlan[]): Promise<void> {
  const { ledger, deadline, say } = scene;
  let window = await openWindow(engine);
  for (let plan; Date.now() < deadline && (plan = queue.shift());) {
    const chance = scene.chance.fork();
    const visitor = ledger.of(plan);
    try {
      for (const [number, visit] of plan.visits.entries()) {
        await delay(visit.absenceMs);
        const playing = playVisit(scene, window.page, chance, plan, number, visit);
        visitor.endings.push(await orGiveUp(playing, `visit ${number}`));
      }
    } catch (error) {
      // A driver that gave up: with its window goes what the visitor had stored.
      visitor.broken = String(error);
      say(`${engine}, ${plan.name}: ${visitor.broken}`);
      void window.close().catch(() => {});
      window = await openWindow(engine);
    }
  }
  await orGiveUp(window.close(), 'the window').catch(() => {});
}

/** Rejects when a driver does not answer. */
async function orGiveUp<Result>(playing: Promise<Result>, what: string): Promise<Result> {
  const giveUp = new AbortController();
  const late = delay(VISIT_MS_MAX, undefined, { signal: giveUp.signal }).then(() => {
    throw new Error(`${what} never came to its end`);
  });
  try {
    return await Promise.race([playing, late]);
  } finally {
    giveUp.abort();
    late.catch(() => {});
  }
}

interface Window {
  readonly page: Page;
  close(): Promise<void>;
}

async function openWindow(engine: Engine): Promise<Window> {
  if (engine !== 'firefox') {
    const page = await (await openBrowser(engine)).newPage();
    return { page, close: page.dispose };
  }
  // The tabs of all its profiles share a window, in which one tab is visible.
  const browser = await openFirefox();
  return { page: await browser.newPage(), close: browser.kill };
}

async function playVisit(
  { front, site }: Scene,
  window: Page,
  chance: Chance,
  visitor: VisitorPlan,
  number: number,
  visit: VisitPlan,
): Promise<Ending> {
  const from = Date.now();
  front.setOffline(visitor, offlineSpells(chance, { from, to: from + visit.ms + SPELLS_MS }));
  const tab = await window.newTab(site.pageOf(visitor, number, 0));
  const killed = visit.killAtMs !== undefined;
  if (visit.killAtMs !== undefined) await delay(visit.killAtMs);
  else {
    if (visit.second) await playSecond(site, tab, visitor, number, visit.second.atMs);
    await site.ended(visitor, number, 0);
  }
  const to = Date.now();
  const reachable = front.isReachable(visitor);
  const brokenOff = front.brokenOff(visitor);
  await (killed ? tab.kill() : tab.closeTab());
  await window.goto(site.leftOf(visitor, number));
  await site.told(visitor, number);
  return { from, to, killed, isCutOff: () => !reachable || front.brokenOff(visitor) > brokenOff };
}

async function playSecond(
  site: VisitSite,
  tab: Page,
  visitor: VisitorPlan,
  number: number,
  atMs: number,
): Promise<void> {
  await delay(atMs);
  const second = await tab.newTab(site.pageOf(visitor, number, 1));
  await site.ended(visitor, number, 1);
  await second.closeTab();
}

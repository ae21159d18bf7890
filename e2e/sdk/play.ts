import { type Browser, type Page, pollPage } from '../parts/browser.ts';
import {
  type RecordingCollector,
  startRecordingCollector,
  type Tick,
  type WireEvent,
} from './recording-collector.ts';
import { MEASURED, type Scenario, type Visit } from './scenario.ts';
import { type Site, startSite } from './site.ts';
import type { Tracker } from './tracker.ts';

/** What a scenario came to. */
export interface Played {
  /** The events that count, of those that the scenario watches, in the order of their times. */
  readonly events: readonly WireEvent[];
  /** All that reached the collector. */
  readonly ticks: readonly Tick[];
  readonly others: RecordingCollector['others'];
  /** What nobody caught in the page. */
  readonly thrown: readonly string[];
}

declare const conformance: {
  beat(n: number, bytes: number): void;
  deliver(): Promise<void>;
  late(): Promise<unknown>;
  thrown: string[];
};

/** The page of an engine that one scenario leaves to the next. */
const shared = new Map<Browser, Page>();

/**
 * Plays one scenario on a site and a collector of its own, hence with nothing in storage.
 * Resolves when everything was delivered that the page has recorded.
 */
export async function play(
  browser: Browser,
  scenario: Scenario,
  tracker: Tracker,
): Promise<Played> {
  const collector = await startRecordingCollector(tracker.wire, tracker.patienceMs);
  const site = await startSite(scenario, tracker, collector.origin);
  const own = scenario.profile === 'own';
  const page = (own ? undefined : shared.get(browser)) ?? (await browser.newPage());
  if (!own) shared.delete(browser);
  const thrown: string[] = [];
  const visit = makeVisit(browser, page, tracker, site, collector, thrown);
  let dispose: (() => Promise<void>) | undefined = page.dispose;
  try {
    if (scenario.open !== false) await visit.open('/');
    await scenario.steps?.(visit);
    if (await isMeasured(page)) await visit.delivered();
    await collector.until(
      () => watched(collector, scenario).length >= scenario.expected.length,
      'all that is expected',
    );
    if (!own) {
      shared.set(browser, page);
      dispose = undefined;
    }
    const events = watched(collector, scenario).map((event) => local(event, site));
    return { events, thrown, ticks: collector.ticks, others: collector.others };
  } finally {
    // A browser that the steps have killed has nothing left to dispose of.
    await dispose?.().catch(() => {});
    await Promise.all([site.close(), collector.close()]);
  }
}

function makeVisit(
  browser: Browser,
  page: Page,
  { lateScript }: Tracker,
  site: Site,
  collector: RecordingCollector,
  thrown: string[],
): Visit {
  let opened = false;
  const noteThrown = async (tab: Page): Promise<void> => {
    thrown.push(...(await tab.evaluate(() => conformance.thrown.splice(0))));
  };
  const beat = async (numbers: readonly number[], bytes: number, next: string): Promise<void> => {
    const before = await page.evaluate(
      ([list, size, url]: [readonly number[], number, string]) => {
        for (const n of list) conformance.beat(n, size);
        if (url) location.href = url;
        return conformance.thrown.splice(0);
      },
      [numbers, bytes, next],
    );
    thrown.push(...before);
  };
  return {
    page,
    site,
    collector,
    async open(path) {
      // What the page before has to say would be gone with it.
      if (opened && (await isMeasured(page))) await noteThrown(page);
      opened = true;
      await page.goto(site.origin + path);
    },
    openTab: (path) => page.newTab(site.origin + path),
    beat: (numbers, bytes = 0) => beat(numbers, bytes, ''),
    async beatAndLeave(numbers, bytes = 0) {
      await beat(numbers, bytes, '/bare');
      await pollPage(page.evaluate, `document.title === '/bare'`);
    },
    arrived: (name, count = 1) =>
      collector.until(
        () => collector.counted().filter(({ event }) => event === name).length >= count,
        `${count} ${name}`,
      ),
    ticked: (count) => collector.until(() => collector.ticks.length >= count, `${count} ticks`),
    async late() {
      if (lateScript !== undefined) {
        await pollPage(
          page.evaluate,
          `performance.getEntriesByType('resource').some(({ name, responseEnd }) =>
            name.endsWith('${lateScript}') && responseEnd > 0)`,
        );
      }
      await page.evaluate(async () => {
        await conformance.late();
      });
    },
    async delivered(tab = page) {
      // No promise is awaited in the page: after a click on a link, WebKit's driver may lose it.
      await tab.evaluate(() => void conformance.deliver());
      await pollPage(tab.evaluate, 'conformance.delivered');
      await noteThrown(tab);
    },
    kill: browser.kill,
  };
}

function isMeasured(page: Page): Promise<boolean> {
  return page.evaluate(() => typeof conformance === 'object').catch(() => false);
}

function watched(collector: RecordingCollector, { watch }: Scenario): WireEvent[] {
  return collector
    .counted()
    .filter(({ event }) =>
      watch ? watch.includes(String(event)) : !MEASURED.includes(String(event)),
    )
    .toSorted((one, other) => order(one) - order(other));
}

/** Of two events in the same millisecond, the application's number says which was first. */
function order({ time, n }: WireEvent): number {
  return Number(time) + Number(n ?? 0) / 1000;
}

/** With URLs of the site as paths: it has another port each time. Those of its other host begin with `other:`. */
function local(event: WireEvent, { origin, otherOrigin }: Site): WireEvent {
  const json = JSON.stringify(event).replaceAll(origin, '').replaceAll(otherOrigin, 'other:');
  return JSON.parse(json);
}

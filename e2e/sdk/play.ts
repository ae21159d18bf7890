import type { Browser, Page } from '../parts/browser.ts';
import { startRecordingCollector, type WireEvent } from './recording-collector.ts';
import { MEASURED, type Scenario, type Visit } from './scenario.ts';
import { startSite } from './site.ts';
import type { Tracker } from './tracker.ts';

/** What a scenario came to. */
export interface Played {
  /** The events that count, of those that the scenario watches, in the order of their times. */
  readonly events: readonly WireEvent[];
  /** What nobody caught in the page. */
  readonly thrown: readonly string[];
}

interface Conformance {
  beat(n: number, bytes: number): void;
  deliver(): Promise<string[]>;
}
declare const conformance: Conformance;

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
  const collector = await startRecordingCollector();
  const site = await startSite(scenario, tracker, collector.origin);
  const own = scenario.profile === 'own';
  const page = (own ? undefined : shared.get(browser)) ?? (await browser.newPage());
  shared.delete(browser);
  const thrown: string[] = [];
  const visit: Visit = {
    page,
    site,
    collector,
    open: (path) => page.goto(site.origin + path),
    openTab: (path) => page.newTab(site.origin + path),
    beat: (n, bytes = 0) =>
      page.evaluate(
        ([number, size]: [number, number]) => conformance.beat(number, size),
        [n, bytes],
      ),
    arrived: (name, count = 1) =>
      collector.until(
        () => collector.counted().filter(({ event }) => event === name).length >= count,
        `${count} ${name}`,
      ),
    async delivered(tab = page) {
      thrown.push(...(await tab.evaluate(() => conformance.deliver())));
    },
  };
  let fit = false;
  try {
    if (scenario.open !== false) await visit.open('/');
    await scenario.steps?.(visit);
    if (await page.evaluate('typeof conformance === "object"').catch(() => false)) {
      await visit.delivered();
    }
    const { expected, watch } = scenario;
    await collector.until(
      () => watched(collector.counted(), watch).length >= expected.length,
      'all',
    );
    fit = !own;
    return {
      events: watched(collector.counted(), watch).map((event) => local(event, site.origin)),
      thrown,
    };
  } finally {
    if (fit) shared.set(browser, page);
    else await page.dispose();
    await Promise.all([site.close(), collector.close()]);
  }
}

function watched(events: readonly WireEvent[], watch: Scenario['watch']): WireEvent[] {
  return events
    .filter(({ event }) =>
      watch ? watch.includes(String(event)) : !MEASURED.includes(String(event)),
    )
    .toSorted((one, other) => Number(one['time']) - Number(other['time']));
}

/** URLs of the site, which has another port each time, as paths. */
function local(event: WireEvent, origin: string): WireEvent {
  return JSON.parse(JSON.stringify(event).replaceAll(origin, ''));
}

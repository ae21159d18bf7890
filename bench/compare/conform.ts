/** Plays scenarios of the conformance table on a product, and says which of them it passes. */
import { type Browser, openBrowser } from '../../e2e/parts/browsers.ts';
import { play, type Played } from '../../e2e/sdk/play.ts';
import type { WireEvent } from '../../e2e/sdk/recording-collector.ts';
import type { Scenario } from '../../e2e/sdk/scenario.ts';
import type { Tracker } from '../../e2e/sdk/tracker.ts';
import type { Compared } from './scope.ts';

export interface Outcome {
  readonly passes: boolean;
  /** What came instead. */
  readonly instead?: string;
}

/** What the steps of this scenario do to the browser, they do to all scenarios that run beside it. */
const KILLS_BROWSER = /browser is killed/u;
const AT_ONCE = 4;

/** By the name of the scenario. */
export async function conform(
  tracker: Tracker,
  scenarios: readonly Compared[],
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const queue = scenarios.map(({ scenario }) => scenario);
  const together = queue.filter(({ name }) => !KILLS_BROWSER.test(name));
  const alone = queue.filter(({ name }) => KILLS_BROWSER.test(name));
  const work = async (waiting: Scenario[]): Promise<void> => {
    for (let scenario; (scenario = waiting.shift());) {
      outcomes.set(scenario.name, await judge(await openBrowser('chromium'), scenario, tracker));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(together)));
  await work(alone);
  return outcomes;
}

async function judge(browser: Browser, scenario: Scenario, tracker: Tracker): Promise<Outcome> {
  try {
    const instead = difference(await play(browser, scenario, tracker), scenario);
    return { passes: instead === undefined, ...(instead !== undefined && { instead }) };
  } catch (error) {
    return { passes: false, instead: error instanceof Error ? error.message : String(error) };
  }
}

/** Undefined where the events that count are the expected ones, in any order. */
function difference(played: Played, scenario: Scenario): string | undefined {
  const { expected, requestsMax = Infinity, throws } = scenario;
  const thrown = played.thrown.filter((message) => !throws?.test(message));
  if (thrown.length > 0) return `thrown: ${thrown.join('; ')}`;
  const rest = [...played.events];
  const missing = expected.filter((wanted) => {
    const index = rest.findIndex((event) => matches(event, wanted));
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
  if (missing.length + rest.length > 0) return played.events.map(title).join(', ') || 'nothing';
  const counted = new Set(played.events.map(title));
  const carriers = played.ticks.filter(({ events }) =>
    events.some((one) => counted.has(title(one))),
  );
  return carriers.length > requestsMax ? `${carriers.length} requests` : undefined;
}

/** What matters of an event, whichever product it comes from. */
const ESSENCE: Readonly<Record<string, string>> = {
  view: 'url',
  download: 'file',
  outbound: 'target',
  beat: 'n',
  vital: 'name',
};

function matches(event: WireEvent, wanted: WireEvent): boolean {
  if (event['event'] !== wanted['event']) return false;
  const expected = essence(wanted);
  if (expected === undefined) return true;
  return isMatcher(expected)
    ? expected.asymmetricMatch(essence(event))
    : expected === essence(event);
}

/** Query and fragment of a file say how it was asked for; one made in the page has any name. */
function essence(event: WireEvent): unknown {
  const value = event[ESSENCE[String(event['event'])] ?? ''];
  return event['event'] === 'download'
    ? String(value).replace(/[?#].*|(?<=^blob:).*/su, '')
    : value;
}

function isMatcher(value: unknown): value is { asymmetricMatch(other: unknown): boolean } {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}

function title(event: WireEvent): string {
  return [event['event'], essence(event)].join(' ').trim();
}

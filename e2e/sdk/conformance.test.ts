import { beforeAll, describe, expect, test } from 'vitest';

import { type Browser, ENGINES, openBrowser } from '../parts/browsers.ts';
import { play } from './play.ts';
import type { WireEvent } from './recording-collector.ts';
import { SCENARIOS } from './scenarios.ts';
import { metronome } from './tracker.ts';

describe.each(ENGINES)('%s', (engine) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser(engine);
  });

  describe.each(Object.entries(SCENARIOS))('%s', (_, scenarios) => {
    for (const scenario of scenarios) {
      const exception = scenario.except?.[engine];
      const expected = exception ? exception.expected : scenario.expected;
      // What an engine cannot do has no test there; the table names the reason.
      if (!expected) continue;
      const name = exception ? `${scenario.name} (${exception.reason})` : scenario.name;
      test(name, async () => {
        const { events, thrown } = await play(
          browser,
          { ...scenario, expected },
          metronome,
        );
        expect(events.map((event, index) => parts(event, expected[index]))).toEqual(expected);
        expect(thrown).toEqual([]);
      });
    }
  });
});

/** What an expectation speaks of; all of an event that nobody expects. */
function parts(event: WireEvent, expected: WireEvent = event): WireEvent {
  return Object.fromEntries(Object.keys(expected).map((key) => [key, event[key]]));
}

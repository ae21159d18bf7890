import { describe, expect, test } from 'vitest';

import { type Engine, ENGINES, openBrowser } from '../parts/browsers.ts';
import { play, type Played } from './play.ts';
import type { WireEvent } from './recording-collector.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { metronome } from './tracker.ts';

/** Of an engine on a busy machine, say over a click. What is wrong with the SDK fails again. */
const STUMBLES_MAX = 1;

describe.each(Object.entries(SCENARIOS))('%s', (_, scenarios) => {
  describe.each(scenarios)('$name', (scenario) => {
    for (const engine of ENGINES) {
      const { reason, ...otherwise } = scenario.except?.[engine] ?? {};
      const name = reason ? `${engine}, which ${reason}` : engine;
      test.concurrent(name, { retry: STUMBLES_MAX }, async () => {
        await check(engine, { ...scenario, ...otherwise });
      });
    }
  });
});

async function check(engine: Engine, scenario: Scenario): Promise<void> {
  const { expected, unordered, throws } = scenario;
  const played = await play(await openBrowser(engine), scenario, metronome);
  if (unordered) {
    expect(played.events).toHaveLength(expected.length);
    expect(played.events).toEqual(
      expect.arrayContaining(expected.map((event) => expect.objectContaining(event))),
    );
  } else {
    expect(played.events.map((event, index) => parts(event, expected[index]))).toEqual(expected);
  }
  expect(played.thrown.filter((message) => !throws?.test(message))).toEqual([]);
  checkRequests(played, scenario);
}

/** What an expectation speaks of; all of an event that nobody expects. */
function parts(event: WireEvent, expected: WireEvent = event): WireEvent {
  return Object.fromEntries(Object.keys(expected).map((key) => [key, event[key]]));
}

const KEEPALIVE_BYTES_MAX = 64 * 1024;

/** What holds of the requests in all scenarios. */
function checkRequests({ ticks, others, events }: Played, { requestsMax }: Scenario): void {
  expect(others.filter((request) => !request.startsWith('GET'))).toEqual([]);
  const variants = new Map<string, Set<string>>();
  for (const { headers, bytes, events: sent } of ticks) {
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(headers).not.toHaveProperty('cookie');
    expect(bytes).toBeLessThan(KEEPALIVE_BYTES_MAX);
    for (const { sent: _, ...event } of sent) {
      const id = String(event['id']);
      variants.set(id, (variants.get(id) ?? new Set()).add(JSON.stringify(event)));
    }
  }
  // A retry says what the first attempt said.
  expect([...variants.values()].filter(({ size }) => size > 1)).toEqual([]);
  if (requestsMax === undefined) return;
  const ids = new Set(events.map(({ id }) => id));
  const carriers = ticks.filter((tick) => tick.events.some(({ id }) => ids.has(id)));
  expect(carriers.length).toBeLessThanOrEqual(requestsMax);
}

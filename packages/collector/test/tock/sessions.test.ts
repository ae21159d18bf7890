import { expect, it } from 'vitest';
import { readHistories, sessionsOf } from '../../src/tock/sessions.ts';
import type { Reader } from '../../src/tock/statistic.ts';
import { scanEvents } from '../query/scan-events.ts';
import { eventAt, journaled } from '../store/journal-lines.ts';

const start = Date.UTC(2026, 10, 23);
const range = { from: start, to: start + 86_400_000 };

function sessionTimes(events: readonly (readonly [minute: number, session?: string])[]) {
  const rows = events.map(([minute, session]) => ({
    time: start + minute * 60_000,
    session: session ?? null,
    minute,
  }));
  return sessionsOf(rows).map((session) => session.map(({ minute }) => minute));
}

it.each([
  ['nothing', [], []],
  ['one event', [[0]], [[0]]],
  ['a gap of less than 30 minutes', [[0], [29.99]], [[0, 29.99]]],
  ['a gap of 30 minutes', [[0], [30]], [[0], [30]]],
  ['gaps that add up', [[0], [20], [40], [75]], [[0, 20, 40], [75]]],
  [
    'sessions that the application gives',
    [
      [0, 'a'],
      [90, 'a'],
      [91, 'b'],
    ],
    [[0, 90], [91]],
  ],
  [
    'given and other sessions at once',
    [[0, 'a'], [5], [10, 'a'], [20]],
    [
      [0, 10],
      [5, 20],
    ],
  ],
] as const)('splits %s', (_, events, expected) => {
  expect(sessionTimes(events)).toEqual(expected);
});

/** Twelve events of each of six visitors; `v5` is the newest. */
const events = journaled(
  'journal',
  1,
  Array.from({ length: 72 }, (_, index) =>
    eventAt(new Date(start + index * 60_000).toISOString(), 'app', {
      'user.id': `v${Math.floor(index / 12)}`,
    }),
  ),
).map((event) => ({ ...event }));

const readerOf = (stored: typeof events) =>
  ({
    async *scan(scan) {
      yield* scanEvents(scan, stored);
    },
    query: () => Promise.reject(new Error('nothing is asked')),
  }) satisfies Reader;

const having = { kind: 'exists', field: 'visitor' } as const;

it.each([
  ['all', { visitorsMax: 6, eventsMax: 72 }, 6, false],
  ['the newest visitors', { visitorsMax: 4, eventsMax: 72 }, 4, true],
  ['whole visitors of so many events', { visitorsMax: 6, eventsMax: 30 }, 2, true],
])('reads %s', async (_, limits, visitors, isSample) => {
  const found = await readHistories(readerOf(events), { fields: ['time'], having, range }, limits);
  expect(found.isSample).toBe(isSample);
  expect(found.visitors.map((rows) => rows.length)).toEqual(
    Array.from({ length: visitors }, () => 12),
  );
});

it.each([
  ['the first', 'v0', [30]],
  ['another', 'v2', [12, 12, 33]],
])('keeps what was read of a visitor with more than are read, %s', async (_, heavy, expected) => {
  const limits = { visitorsMax: 6, eventsMax: heavy === 'v0' ? 29 : 56 };
  const stored = events.flatMap((event) =>
    event['user.id'] === heavy ? Array.from({ length: 5 }, () => event) : [event],
  );
  const asked = { fields: ['time'], having, range } as const;
  const found = await readHistories(readerOf(stored), asked, limits);
  expect(found.isSample).toBe(true);
  expect(found.visitors.map((rows) => rows.length)).toEqual(expected);
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStore } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { Statistic } from '../../../src/tock/statistic.ts';
import { errors } from '../../../src/tock/statistics/errors.ts';
import { flow } from '../../../src/tock/statistics/flow.ts';
import { recommendations } from '../../../src/tock/statistics/recommendations.ts';
import { time } from '../../../src/tock/statistics/time.ts';
import { visitors } from '../../../src/tock/statistics/visitors.ts';
import { vitals } from '../../../src/tock/statistics/vitals.ts';
import { type OpenStore, withStore } from '../../store/conformance/with-store.ts';
import { asking } from './asking.ts';
import * as bruteForce from './brute-force.ts';
import { declaredTests } from './declared.ts';
import { exampleTests } from './examples.ts';
import { eventsArb, now } from './events.ts';

/** Every statistic on a real engine: what it says of examples, and plain loops over random events. */
export function describeStatistics(
  name: string,
  openStore: () => Promise<EventStore>,
  numRuns: number,
): void {
  describe(name, () => {
    describe('examples', () => exampleTests(withStore(openStore)));
    describe('declared queries', () => declaredTests(withStore(openStore), numRuns));
    describe('random events', () => randomTests(withStore(openStore), numRuns));
  });
}

const scopes = [
  { name: 'an item', item: 'a', about: { isOwn: (item?: string) => item === 'a' } },
  {
    name: 'an item that looks like a number',
    item: '10',
    about: { isOwn: (item?: string) => item === '10' },
  },
  {
    name: 'a prefix',
    parameters: { prefix: 'a' },
    about: { isOwn: (item?: string) => item?.startsWith('a') === true },
  },
  { name: 'the site', about: { isOwn: undefined } },
] as const satisfies readonly {
  name: string;
  item?: string;
  parameters?: Record<string, string>;
  about: bruteForce.About;
}[];

type Scope = (typeof scopes)[number];
type Check = (
  asked: (statistic: Statistic, parameters?: Record<string, string>) => Promise<unknown>,
  events: readonly StoredEvent[],
  scope: Scope,
) => Promise<void>;

function randomTests(open: OpenStore, numRuns: number): void {
  const ask = asking(open, now);

  const agree = (check: Check): Promise<void> =>
    fc.assert(
      fc.asyncProperty(eventsArb, async (nameless) => {
        const app = open.newName();
        const events = nameless.map((event) => ({ ...event, 'service.name': app }));
        if (events.length > 0) await open.takeEvents(events);
        const people = events.filter(({ bot }) => !bot);
        for (const scope of scopes) {
          const { item, parameters: own } = { item: undefined, parameters: {}, ...scope };
          const asked = (statistic: Statistic, parameters: Record<string, string> = {}) =>
            ask(statistic, app, { ...own, ...parameters }, item);
          await check(asked, people, scope);
        }
      }),
      { numRuns },
    );

  it('have the visitors that plain loops count', () =>
    agree(async (asked, events, { about }) => {
      for (const tz of ['UTC', 'Asia/Kolkata']) {
        const expected = bruteForce.visitors(events, about, tz);
        expect(await asked(visitors, { tz })).toEqual(expected);
      }
    }));

  it('have the times and vitals that plain loops sum up', () =>
    agree(async (asked, events, { about }) => {
      const engaged = bruteForce.engagedMs(events, about);
      const paints = bruteForce.vitalValues(events, about, 'LCP');
      const found = await asked(time);
      expect(found).toMatchObject({
        engagedMs: {
          views: engaged.length,
          median: close(exactly(engaged, 50)),
          p75: close(exactly(engaged, 75)),
          p95: close(exactly(engaged, 95)),
        },
        loadMs: { views: paints.length },
      });
      const metrics = (await asked(vitals)) as Record<string, Record<string, number>>;
      expect(Object.keys(metrics)).not.toContain('own');
      for (const [name, good, most] of [
        ['LCP', 2500, 4000],
        ['INP', 200, 500],
        ['CLS', 0.1, 0.25],
      ] as const) {
        const values = bruteForce.vitalValues(events, about, name);
        const counts = {
          count: values.length,
          good: values.filter((value) => value <= good).length,
          needsImprovement: values.filter((value) => value > good && value <= most).length,
          poor: values.filter((value) => value > most).length,
        };
        if (values.length === 0) expect(metrics[name]).toBeUndefined();
        else expect(metrics[name]).toMatchObject(counts);
      }
    }));

  it('have the errors that plain loops group', () =>
    agree(async (asked, events, { about }) => {
      for (const noise of ['include', 'exclude']) {
        const expected = bruteForce.errors(events, about, noise === 'include');
        const found = (await asked(errors, { noise })) as {
          events: number;
          count: number;
          groups: { sample: { message: string } }[];
        };
        const sample = expect.objectContaining({}) as object;
        expect(found.groups).toEqual(expected.map(({ group }) => ({ ...group, sample })));
        for (const [index, { messages }] of expected.entries()) {
          expect(messages).toContain(found.groups[index]?.sample.message);
        }
        expect(found.events).toBe(expected.reduce((sum, { group }) => sum + group.events, 0));
        expect(found.count).toBe(expected.reduce((sum, { group }) => sum + group.count, 0));
      }
    }));

  it('have the flow that plain loops walk', () =>
    agree(async (asked, events, { about: { isOwn } }) => {
      const found = await asked(flow);
      expect(found).toEqual(isOwn ? flowOf(events, isOwn) : flowOfSite(events));
    }));

  it('have the recommendations that counting every visitor finds', () =>
    agree(async (asked, events, { about: { isOwn } }) => {
      if (!isOwn) {
        await expect(asked(recommendations)).rejects.toThrow(/of an item/);
        return;
      }
      const expected = bruteForce.recommendations(events, { isOwn });
      const { items: found } = (await asked(recommendations)) as { items: typeof expected };
      const byItem = (rows: typeof expected) => rows.toSorted((a, b) => (a.item < b.item ? -1 : 1));
      expect(byItem(found)).toEqual(
        byItem(expected).map((row) => ({ ...row, score: expect.closeTo(row.score, 9) as number })),
      );
      const scores = found.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }));
}

function flowOf(events: readonly StoredEvent[], isOwn: (item?: string) => boolean): unknown {
  const visits = bruteForce.visits(events, { isOwn });
  const steps = (direction: 'before' | 'after', ends: string) =>
    bruteForce.ranked(visits.flatMap((visit) => visit[direction][0] ?? [])).map(([item, count]) => {
      const those = visits.filter((visit) => visit[direction][0] === item);
      return {
        item,
        visits: count,
        [ends]: those.filter((visit) => visit[direction].length === 1).length,
        [direction]: Object.fromEntries(
          bruteForce.ranked(those.flatMap((visit) => visit[direction][1] ?? [])),
        ),
      };
    });
  return {
    visits: visits.length,
    entries: visits.filter(({ before }) => before.length === 0).length,
    exits: visits.filter(({ after }) => after.length === 0).length,
    referers: Object.fromEntries(bruteForce.ranked(visits.flatMap(({ referer }) => referer ?? []))),
    before: steps('before', 'entries'),
    after: steps('after', 'exits'),
  };
}

function flowOfSite(events: readonly StoredEvent[]): unknown {
  const paths = bruteForce.sessions(events);
  const ranked = (keys: readonly string[]) => Object.fromEntries(bruteForce.ranked(keys));
  const steps = paths.flatMap((path) =>
    path.flatMap(({ item }, index) => {
      const from = path[index - 1]?.item;
      return from === undefined || from === item ? [] : [JSON.stringify([from, item])];
    }),
  );
  return {
    visits: paths.length,
    entries: ranked(paths.flatMap((path) => path[0]?.item ?? [])),
    exits: ranked(paths.flatMap((path) => path.at(-1)?.item ?? [])),
    referers: ranked(paths.flatMap((path) => path[0]?.referer ?? [])),
    steps: bruteForce.ranked(steps).map(([names, visits]) => {
      const [from, to] = JSON.parse(names) as [string, string];
      return { from, to, visits };
    }),
  };
}

function exactly(sorted: readonly number[], at: number): number | null {
  const rank = (at / 100) * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  return low === undefined || high === undefined ? null : low + (high - low) * (rank % 1);
}

function close(value: number | null): unknown {
  return value === null ? null : expect.closeTo(value, 6);
}

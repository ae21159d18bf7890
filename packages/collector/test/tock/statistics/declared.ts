import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import { defineQuery } from '../../../src/query/declared.ts';
import { writeAnswer } from '../../../src/tock/answer.ts';
import { answerRequest } from '../../../src/tock/answer-request.ts';
import { explainRequest } from '../../../src/tock/explain-request.ts';
import { parseRequest } from '../../../src/tock/request.ts';
import { BUILT_IN } from '../../../src/tock/statistics.ts';
import { declared } from '../../../src/tock/statistics/declared.ts';
import { tock } from '../../../src/tock/statistics/tock.ts';
import { visitors } from '../../../src/tock/statistics/visitors.ts';
import type { OpenStore } from '../../store/conformance/with-store.ts';
import { eventAt } from '../../store/journal-lines.ts';
import { asking } from './asking.ts';
import * as bruteForce from './brute-force.ts';
import { eventsArb, now } from './events.ts';

const noon = Date.UTC(2026, 10, 23, 12);
const DAY_MIN = 24 * 60;

const ofEvent = (value: string) => ({ kind: 'equals', field: 'event', value }) as const;
const steps = [
  { name: 'viewed', filter: ofEvent('view') },
  { name: 'took', filter: { kind: 'in', field: 'event', values: ['download', 'view'] } },
  { name: 'stayed', filter: ofEvent('engagement') },
] as const;

/** Queries of the application, and what holds for all statistics. */
export function declaredTests(open: OpenStore, numRuns: number): void {
  const ask = asking(open, noon);
  let app = '';
  const take = async (events: readonly StoredEvent[]): Promise<void> => {
    app = open.newName();
    await open.takeEvents(events.map((event) => ({ ...event, 'service.name': app })));
  };

  const departments = declared(
    defineQuery({
      measures: { revenue: { kind: 'sum', field: 'price' }, orders: { kind: 'count' } },
      dimensions: { department: { kind: 'field', field: 'department', missing: 'none' } },
      filter: ofEvent('buy'),
    }),
  );
  const bought = (item: string, department: string, price: number, host = 'shop'): StoredEvent =>
    at(0, {
      item,
      'event.action': 'buy',
      labels: { department, price: `${price}`, host },
      metrics: { price },
    });

  it("are rows of the application's own keys", async () => {
    await take([
      bought('a', 'parks', 5),
      bought('a', 'roads', 2.5),
      bought('b', 'parks', 1),
      at(0, { 'event.action': 'buy' }),
      at(0),
    ]);
    expect(await ask(departments, app, {})).toEqual([
      { department: 'parks', revenue: 6, orders: 2 },
      { department: 'roads', revenue: 2.5, orders: 1 },
      { department: 'none', revenue: 0, orders: 1 },
    ]);
    expect(await ask(departments, app, { limit: '1' }, 'a')).toEqual([
      { department: 'parks', revenue: 5, orders: 1 },
    ]);
    const daily = declared(
      defineQuery({
        measures: { orders: { kind: 'count' } },
        dimensions: { at: { kind: 'time', interval: 'day' } },
        filter: ofEvent('buy'),
      }),
    );
    expect(await ask(daily, app, { prefix: 'b' })).toEqual({ '2026-11-23': 1 });
    expect(await ask(daily, app, { interval: 'month' })).toEqual({ '2026-11': 4 });
  });

  it('have the rest in one row', async () => {
    await take([bought('a', 'parks', 5), bought('a', 'roads', 2), bought('b', 'water', 1)]);
    const first = declared(
      defineQuery({
        measures: { revenue: { kind: 'sum', field: 'price' } },
        dimensions: { department: { kind: 'field', field: 'department' } },
        others: 'others',
      }),
    );
    expect(await ask(first, app, {})).toEqual({ parks: 5, roads: 2, water: 1 });
    expect(await ask(first, app, { limit: '1' })).toEqual({ parks: 5, others: 3 });
  });

  it('reach keys that are called like a field', async () => {
    await take([bought('a', 'parks', 5, 'kiosk'), bought('a', 'parks', 1)]);
    const hosts = declared(
      defineQuery({
        measures: {
          revenue: { kind: 'sum', field: 'labels.price' },
          kiosks: {
            kind: 'count',
            where: { kind: 'equals', field: 'labels.host', value: 'kiosk' },
          },
        },
        dimensions: { host: { kind: 'field', field: 'labels.host' } },
      }),
    );
    expect(await ask(hosts, app, {})).toEqual([
      { host: 'kiosk', revenue: 5, kiosks: 1 },
      { host: 'shop', revenue: 1, kiosks: 0 },
    ]);
  });

  it('are funnels: who took each step after the one before', async () => {
    const by = (visitor: string, minute: number, action: string): StoredEvent =>
      at(minute, { 'user.id': visitor, 'event.action': action });
    await take([
      by('v1', 0, 'view'),
      by('v1', 5, 'download'),
      by('v1', 9, 'engagement'),
      by('v2', 0, 'view'),
      by('v2', 1, 'view'),
      by('v3', 0, 'view'),
      by('v3', 90, 'download'),
      by('v3', 91, 'engagement'),
      by('v4', 0, 'engagement'),
      by('v4', 1, 'download'),
      at(0),
    ]);
    const answer = (counts: readonly number[]) => ({
      steps: counts.map((count, index) => ({
        step: steps[index]?.name,
        visitors: count,
        share: count / 3,
      })),
    });
    const funnel = declared(defineQuery({ kind: 'funnel', steps }));
    expect(await ask(funnel, app, {})).toEqual(answer([3, 3, 2]));
    const quick = declared(defineQuery({ kind: 'funnel', steps, withinMinutes: 60 }));
    expect(await ask(quick, app, {})).toEqual(answer([3, 2, 1]));
    expect(await ask(quick, app, {}, 'never')).toEqual({
      steps: steps.map(({ name }) => ({ step: name, visitors: 0, share: 0 })),
    });
  });

  it('are retention: who came again in which interval', async () => {
    const came = (visitor: string, ...days: readonly number[]): StoredEvent[] =>
      days.map((day) => at(day * DAY_MIN, { 'user.id': visitor }));
    await take([
      ...came('v1', -3, -2, 0),
      ...came('v2', -3, -3, -1),
      ...came('v3', -1, 0),
      at(0, { 'user.id': 'hash', 'visitor.daily': true }),
    ]);
    const from = '2026-11-20';
    expect(await ask(BUILT_IN.retention, app, { from })).toEqual([
      { start: '2026-11-22', visitors: 1, returned: [1] },
      { start: '2026-11-20', visitors: 2, returned: [1, 1, 1] },
    ]);
    expect(await ask(BUILT_IN.retention, app, { from, interval: 'week' })).toEqual([
      { start: '2026-11-16', visitors: 3, returned: [2] },
    ]);
    const buyers = declared(defineQuery({ kind: 'retention', filter: ofEvent('buy') }));
    expect(await ask(buyers, app, { from })).toEqual([]);
  });

  it('have no retention of visitors that last one day', async () => {
    await take([at(0, { 'user.id': 'hash', 'visitor.daily': true })]);
    await expect(ask(BUILT_IN.retention, app, {})).rejects.toThrow(
      /only be told of visitors whom the application names/,
    );
    await expect(ask(BUILT_IN.retention, app, { from: '2020-01-01' })).rejects.toThrow(
      /more than 400 intervals/,
    );
  });

  it('have the funnels and the retention that plain loops find', () =>
    fc.assert(
      fc.asyncProperty(
        eventsArb,
        fc.constantFrom(undefined, 30, 1440),
        async (nameless, within) => {
          const own = open.newName();
          const events = nameless.map((event) => ({ ...event, 'service.name': own }));
          if (events.length > 0) await open.takeEvents(events);
          const people = events.filter(({ bot }) => !bot);
          const later = asking(open, now);
          const funnel = declared({
            kind: 'funnel',
            steps,
            ...(within !== undefined && { withinMinutes: within }),
          });
          const found = (await later(funnel, own, {})) as { steps: { visitors: number }[] };
          expect(found.steps.map((step) => step.visitors)).toEqual(
            bruteForce.funnel(people, within ?? Infinity),
          );
          const named = people.filter((event) => !event['visitor.daily']);
          const from = '2026-11-21';
          const cohorts = bruteForce.retention(named, [from, '2026-11-22', '2026-11-23']);
          if (cohorts.length > 0) {
            const to = '2026-11-23';
            expect(await later(BUILT_IN.retention, own, { from, to })).toEqual(cohorts);
          }
        },
      ),
      { numRuns },
    ));

  it.each(Object.entries({ tock, ...BUILT_IN, departments }))(
    '%s is asked of several items as of each, and of a prefix',
    async (name, statistic) => {
      await take([
        at(0, { item: 'a/1', 'user.id': 'v1' }),
        at(1, { item: 'a/2', 'user.id': 'v1' }),
        at(2, { item: '7', 'user.id': 'v2' }),
        bought('a/1', 'parks', 5),
      ]);
      // Retention asks once for each interval.
      const few = statistic.parameters.includes('from') ? { from: '2026-11-22' } : {};
      const each = async (item: string) => [item, await ask(statistic, app, few, item)] as const;
      const several = new URLSearchParams([
        ['item', 'a/1'],
        ['item', '7'],
        ['item', 'never'],
        ...Object.entries({ app, ...few }),
      ]);
      const rules = { names: statistic.parameters, timeZone: 'UTC' };
      const request = parseRequest(undefined, several, rules);
      const { answer } = await answerRequest(open.store, statistic, request, noon);
      expect([...(answer as ReadonlyMap<string, unknown>).keys()]).toEqual(['a/1', '7', 'never']);
      const expected = Object.fromEntries([
        await each('a/1'),
        await each('7'),
        await each('never'),
      ]);
      expect(JSON.parse(writeAnswer(answer))).toEqual(expected);
      expect(await ask(statistic, app, { ...few, prefix: 'a/1' })).toEqual(expected['a/1']);
      const all = await ask(statistic, app, { ...few, prefix: 'a/' });
      if (name === 'tock') expect(all).toMatchObject({ views: { '2026-11-23': 2 } });
    },
  );

  it('are refused with their cost where they would read more events than the limit', async () => {
    await take([at(0, { item: 'a' }), at(1, { item: 'a' }), at(2, { item: 'b' })]);
    const rules = { sites: [], queryEventsMax: 2, retentionDays: 0 };
    const answer = (statistic: typeof tock, item?: string) =>
      answerRequest(
        open.store,
        statistic,
        parseRequest(item, new URLSearchParams({ app }), {
          names: statistic.parameters,
          timeZone: 'UTC',
        }),
        noon,
        rules,
      );
    await expect(answer(visitors)).rejects.toMatchObject({
      code: 'bad-request',
      message:
        'this would read 3 events, and the limit is 2 (METRONOME_QUERY_EVENTS_MAX): ask for a shorter period, or for an item',
      extensions: { events: 3, eventsMax: 2 },
    });
    await expect(answer(visitors, 'a')).resolves.toBeDefined();
  });

  it('are explained: each question as the engine gets it, and its cost', async () => {
    await take([at(0, { item: 'a' }), at(1, { item: 'b' })]);
    const request = parseRequest('a', new URLSearchParams({ app }), {
      names: tock.parameters,
      timeZone: 'UTC',
    });
    const rules = { sites: [], queryEventsMax: 2, retentionDays: 0 };
    const found = await explainRequest(open.store, tock, request, noon, rules);
    expect(found.map(({ events, rows }) => ({ events, rows }))).toEqual([
      { events: 1, rows: 1 },
      { events: 0, rows: 0 },
      { events: 1, rows: 0 },
    ]);
    for (const { question } of found) expect(question).toMatch(/SELECT|"aggs"/u);
  });
}

/** A view of `a` some minutes after noon. */
function at(minute: number, fields: Partial<StoredEvent> = {}): StoredEvent {
  const instant = new Date(noon + minute * 60_000).toISOString();
  return eventAt(instant, 'to be named', { item: 'a', ...fields });
}

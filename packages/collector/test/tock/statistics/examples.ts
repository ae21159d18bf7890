import { beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import { campaigns } from '../../../src/tock/statistics/campaigns.ts';
import { devices } from '../../../src/tock/statistics/devices.ts';
import { errors } from '../../../src/tock/statistics/errors.ts';
import { flow } from '../../../src/tock/statistics/flow.ts';
import { items } from '../../../src/tock/statistics/items.ts';
import { live } from '../../../src/tock/statistics/live.ts';
import { recommendations } from '../../../src/tock/statistics/recommendations.ts';
import { time } from '../../../src/tock/statistics/time.ts';
import { visitors } from '../../../src/tock/statistics/visitors.ts';
import { vitals } from '../../../src/tock/statistics/vitals.ts';
import type { OpenStore } from '../../store/conformance/with-store.ts';
import { eventAt } from '../../store/journal-lines.ts';
import { asking } from './asking.ts';

const noon = Date.UTC(2026, 10, 23, 12);

/** What each statistic says of a few events. */
export function exampleTests(open: OpenStore): void {
  const ask = asking(open, noon);
  let app = '';
  const take = async (events: readonly StoredEvent[]): Promise<void> => {
    app = open.newName();
    await open.takeEvents(events.map((event) => ({ ...event, 'service.name': app })));
  };

  describe('of a site that nobody has visited', () => {
    beforeAll(() => {
      app = open.newName();
    });

    it.each([
      [visitors, { total: 0, daily: 0, unknown: 0, visitors: {} }],
      [
        time,
        {
          engagedMs: { views: 0, median: null, p75: null, p95: null },
          loadMs: { views: 0, median: null, p75: null, p95: null },
        },
      ],
      [vitals, {}],
      [errors, { count: 0, events: 0, visitors: 0, groups: [] }],
      [flow, { visits: 0, entries: 0, exits: 0, referers: {}, before: [], after: [] }],
      [recommendations, { visitors: 0, items: [] }],
      [campaigns, { campaigns: [], terms: {}, contents: {} }],
      [devices, { browsers: {}, systems: {}, devices: {}, languages: {} }],
      [live, { visitors: 0, views: {}, items: {}, referers: {} }],
    ])('are empty', async (statistic, empty) => {
      expect(await ask(statistic, app, {}, 'trees')).toEqual(empty);
    });
  });

  it('names the browsers, systems, devices and languages of views', async () => {
    await take([
      at(0, { 'user_agent.name': 'Firefox', 'user_agent.os.name': 'Linux' }),
      at(1, { 'user_agent.name': 'Firefox', 'browser.language': 'de' }),
      at(2, { 'user_agent.device.type': 'mobile' }),
      at(3, { 'event.action': 'download', 'user_agent.name': 'Chrome' }),
    ]);
    expect(await ask(devices, app, {})).toEqual({
      browsers: { Firefox: 2, unknown: 1 },
      systems: { unknown: 2, Linux: 1 },
      devices: { unknown: 2, mobile: 1 },
      languages: { unknown: 2, de: 1 },
    });
    expect(await ask(devices, app, { limit: '1' })).toMatchObject({ browsers: { Firefox: 2 } });
  });

  it('tells campaigns apart by source, medium and name', async () => {
    const mail = { utm_source: 'letter', utm_medium: 'mail', utm_campaign: 'autumn' };
    await take([
      at(0, { labels: { ...mail, utm_content: 'top' }, 'user.id': 'v1' }),
      at(1, { labels: mail, 'user.id': 'v1' }),
      at(2, { labels: mail, 'user.id': 'v2', 'event.action': 'download' }),
      at(3, { labels: { utm_source: 'letter', utm_term: 'trees' } }),
      at(4, { labels: mail, 'event.action': 'engagement' }),
      at(5),
    ]);
    expect(await ask(campaigns, app, {}, 'trees')).toEqual({
      campaigns: [
        {
          source: 'letter',
          medium: 'mail',
          campaign: 'autumn',
          views: 2,
          downloads: 1,
          visitors: 2,
        },
        { source: 'letter', medium: '', campaign: '', views: 1, downloads: 0, visitors: 0 },
      ],
      terms: { trees: 1 },
      contents: { top: 1 },
    });
  });

  it('counts the last 30 minutes by minute, newest first', async () => {
    await take([
      at(-30),
      at(-29, { 'user.id': 'v1', referer: 'a.example' }),
      at(-29.5, { 'user.id': 'v1' }),
      at(0, { item: 'roads', 'user.id': 'v2' }),
      at(0.9, { item: 'roads', 'event.action': 'download', 'user.id': 'v3' }),
      at(1, { item: 'roads' }),
    ]);
    const found = await ask(live, app, { tz: 'Europe/Berlin' });
    expect(found).toEqual({
      visitors: 3,
      views: { '2026-11-23T13:00+01:00': 1, '2026-11-23T12:31+01:00': 1 },
      items: { roads: 1, trees: 1 },
      referers: { 'a.example': 1 },
    });
    expect(Object.keys((found as { views: object }).views)[0]).toBe('2026-11-23T13:00+01:00');
  });

  it('ranks items by what is asked', async () => {
    const engaged = { item: 'datasets/a', 'event.action': 'engagement', 'page.id': 'p1' };
    await take([
      ...[1, 2, 3].map((minute) => at(minute, { 'user.id': 'v1' })),
      ...[1, 2].map((minute) => at(minute, { item: 'roads', 'user.id': `v${minute}` })),
      at(3, { item: 'roads', 'event.action': 'download', 'user.id': 'v3' }),
      at(3, { item: 'datasets/a', 'event.action': 'error' }),
      ...[1, 2].map(() => at(3, { item: 'trees', 'event.action': 'error', tags: ['noise'] })),
      ...[1500, 500, -400, 86_400_000].map((duration) => at(4, { ...engaged, duration })),
      at(4, { item: 'datasets/a', 'event.action': 'engagement', duration: 500 }),
      at(4, { item: 'trees', 'event.action': 'outbound' }),
      at(-50_000, { item: 'old' }),
    ]);
    const by = (rank: string, more = {}) => ask(items, app, { by: rank, ...more });
    expect(await by('views')).toEqual({ trees: 3, roads: 2 });
    expect(await by('views', { limit: '1' })).toEqual({ trees: 3 });
    expect(await by('views', { prefix: 'r' })).toEqual({ roads: 2 });
    expect(await by('views', { from: '2026-01-01' })).toEqual({ trees: 3, roads: 2, old: 1 });
    expect(await by('downloads')).toEqual({ roads: 1 });
    expect(await by('visitors')).toEqual({ roads: 3, trees: 1 });
    expect(await by('errors')).toEqual({ 'datasets/a': 1 });
    expect(await by('errors', { noise: 'include' })).toEqual({ trees: 2, 'datasets/a': 1 });
    expect(await by('outbound')).toEqual({ trees: 1 });
    expect(await by('time')).toEqual({ 'datasets/a': 2000 });
  });

  it('shows the last error of a group with its stack, and noise when asked', async () => {
    const error = (minute: number, cause: string, fields: Partial<StoredEvent> = {}): StoredEvent =>
      at(minute, { 'event.action': 'error', 'error.grouping_key': cause, ...fields });
    await take([
      error(0, 'f1', { message: 'x is undefined (1)', 'user.id': 'v1' }),
      error(1, 'f1', {
        message: 'x is undefined (2)',
        'error.stack_trace': 'at f (app.js:1:2)',
        'log.origin.file.name': 'app.js',
        'log.origin.file.line': 1,
        'log.origin.file.column': 2,
        'user.id': 'v2',
        labels: { count: '3' },
        metrics: { count: 3 },
      }),
      error(1, 'f2', { message: 'Script error.', tags: ['noise'] }),
    ]);
    const group = {
      fingerprint: 'f1',
      count: 4,
      events: 2,
      visitors: 2,
      first: '2026-11-23T12:00:00.000Z',
      last: '2026-11-23T12:01:00.000Z',
      sample: {
        message: 'x is undefined (2)',
        stack: 'at f (app.js:1:2)',
        source: 'app.js',
        line: 1,
        column: 2,
      },
    };
    expect(await ask(errors, app, {}, 'trees')).toEqual({
      count: 4,
      events: 2,
      visitors: 2,
      groups: [group],
    });
    expect(await ask(errors, app, { noise: 'include' }, 'trees')).toMatchObject({
      events: 3,
      groups: [group, { fingerprint: 'f2', noise: true, sample: { message: 'Script error.' } }],
    });
  });

  it('rates vitals by the thresholds of web-vitals', async () => {
    const vital = (name: string, value: number): StoredEvent =>
      at(0, {
        'event.action': 'vital',
        'browser.web_vital.name': name,
        'browser.web_vital.value': value,
      });
    await take([
      ...[2500, 2501, 4000, 4001].map((value) => vital('LCP', value)),
      vital('CLS', 0),
      vital('TTI', 1),
    ]);
    const found = await ask(vitals, app, {}, 'trees');
    expect(found).toEqual({
      LCP: {
        count: 4,
        p75: expect.any(Number) as number,
        good: 1,
        needsImprovement: 2,
        poor: 1,
        shares: { good: 0.25, needsImprovement: 0.5, poor: 0.25 },
      },
      CLS: {
        count: 1,
        p75: 0,
        good: 1,
        needsImprovement: 0,
        poor: 0,
        shares: { good: 1, needsImprovement: 0, poor: 0 },
      },
    });
  });

  it('follows visitors two steps either way', async () => {
    const path = (visitor: string, start: number, ...names: string[]): StoredEvent[] =>
      names.map((item, index) =>
        at(start + index, {
          item,
          'user.id': visitor,
          ...(index === 0 && { referer: 'search.example' }),
        }),
      );
    await take([
      ...path('v1', 0, 'home', 'list', 'trees', 'trees', 'roads', 'home'),
      ...path('v2', 0, 'list', 'trees'),
      ...path('v2', 31, 'trees', 'roads'),
      ...path('v3', 0, 'roads', 'home'),
    ]);
    expect(await ask(flow, app, {}, 'trees')).toEqual({
      visits: 3,
      entries: 1,
      exits: 1,
      referers: { 'search.example': 1 },
      before: [{ item: 'list', visits: 2, entries: 1, before: { home: 1 } }],
      after: [{ item: 'roads', visits: 2, exits: 1, after: { home: 1 } }],
    });
    expect(await ask(flow, app, { limit: '1' })).toEqual({
      visits: 4,
      entries: { home: 1 },
      exits: { home: 2 },
      referers: { 'search.example': 4 },
      steps: [{ from: 'list', to: 'trees', visits: 2 }],
    });
  });

  it('recommends what is special to the visitors of an item, not what all use', async () => {
    const uses = (count: number, ...names: string[]): StoredEvent[] =>
      Array.from({ length: count }, () => open.newName()).flatMap((visitor) =>
        names.map((item) => at(0, { item, 'user.id': visitor })),
      );
    await take([
      ...uses(5, 'trees', 'home', 'parks'),
      ...uses(5, 'trees', 'home'),
      ...uses(90, 'home'),
      ...uses(1, 'parks'),
    ]);
    const found = await ask(recommendations, app, {}, 'trees');
    expect(found).toMatchObject({
      visitors: 10,
      items: [
        { item: 'parks', visitors: 5 },
        { item: 'home', visitors: 10 },
      ],
    });
  });

  it('answers several items by id', async () => {
    await take([at(0, { 'user.id': 'v1' }), at(0, { item: '10', 'user.id': 'v2' })]);
    expect(await ask(visitors, app, { item: 'trees' })).toMatchObject({ trees: { total: 1 } });
  });
}

/** A view of `trees` some minutes after noon. */
function at(minute: number, fields: Partial<StoredEvent> = {}): StoredEvent {
  const instant = new Date(noon + minute * 60_000).toISOString();
  return eventAt(instant, 'to be named', { item: 'trees', ...fields });
}

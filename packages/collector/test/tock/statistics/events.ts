import * as fc from 'fast-check';
import type { StoredEvent } from '../../../src/event.ts';
import { eventAt } from '../../store/journal-lines.ts';

/** Three days of November 2026, in UTC. */
const first = Date.UTC(2026, 10, 21);
const last = Date.UTC(2026, 10, 23);
/** A day later, so that every zone has had the last of them. */
export const now: number = last + 36 * 3_600_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Small pools, so that values meet; minutes apart that make sessions begin and end. */
const timeArb = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom(0, 1, 29, 30, 31, 59, 60, 90, 1_430))
  .map(([day, minute]) => first + day * DAY_MS + minute * MINUTE_MS);
const itemArb = fc.constantFrom('a', 'a/b', 'b', 'c', '10', '\u{1F600}');

/** Given by the application, or the daily hash of somebody. */
const visitorArb = fc.oneof(
  fc.record({ name: fc.constantFrom('v1', 'v2', 'v3'), daily: fc.constant(false) }),
  fc.record({ name: fc.constantFrom('h1', 'h2', 'h3'), daily: fc.constant(true) }),
);

const vitals: readonly Partial<StoredEvent>[] = [
  ['LCP', 2500],
  ['LCP', 2500.25],
  ['LCP', 4000],
  ['LCP', 9000],
  ['CLS', 0.1],
  ['CLS', 0.26],
  ['INP', 0],
  ['own', 5],
].map(([name, value]) => ({
  'event.action': 'vital',
  'browser.web_vital.name': String(name),
  'browser.web_vital.value': Number(value),
}));

const errorArb = fc
  .record(
    {
      'error.grouping_key': fc.constantFrom('f1', 'f2', 'f3'),
      count: fc.integer({ min: 1, max: 4 }),
      tags: fc.constant(['noise']),
    },
    { requiredKeys: ['error.grouping_key'] },
  )
  .map(({ count, ...fields }): Partial<StoredEvent> => ({
    'event.action': 'error',
    ...fields,
    ...(count !== undefined && { labels: { count: `${count}` }, metrics: { count } }),
  }));

const kindArb: fc.Arbitrary<Partial<StoredEvent>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ 'event.action': 'view' }) },
  { weight: 2, arbitrary: fc.constant({ 'event.action': 'download' }) },
  {
    weight: 2,
    arbitrary: fc
      .record(
        {
          'page.id': fc.constantFrom('p1', 'p2', 'p3'),
          duration: fc.integer({ min: -90_000, max: 90_000 }),
        },
        { requiredKeys: [] },
      )
      .map((fields) => ({ 'event.action': 'engagement', ...fields })),
  },
  { weight: 1, arbitrary: fc.constantFrom(...vitals) },
  { weight: 2, arbitrary: errorArb },
);

/** Random events of an app that is yet to be named; errors say where they stand in the list. */
export const eventsArb: fc.Arbitrary<StoredEvent[]> = fc
  .array(
    fc
      .tuple(
        timeArb,
        kindArb,
        fc.option(visitorArb, { nil: undefined, freq: 8 }),
        fc.record(
          {
            item: itemArb,
            'session.id': fc.constantFrom('s1', 's2'),
            referer: fc.constantFrom('x.example', 'y.example/z'),
            bot: fc.constant(true as const),
          },
          { requiredKeys: [] },
        ),
        fc.boolean(),
      )
      .map(([time, kind, visitor, { 'session.id': session, bot, ...fields }, odd]): StoredEvent => {
        const day = new Date(time).toISOString().slice(0, 10);
        return eventAt(new Date(time).toISOString(), 'to be named', {
          ...fields,
          ...kind,
          ...(odd && session && { 'session.id': session }),
          ...(odd && bot && { bot }),
          ...(visitor?.daily === false && { 'user.id': visitor.name }),
          ...(visitor?.daily && { 'user.id': `${visitor.name} ${day}`, 'visitor.daily': true }),
        });
      }),
    { maxLength: 60 },
  )
  .map((events) =>
    events.map((event, index) =>
      event['event.action'] === 'error' ? { ...event, message: `error ${index}` } : event,
    ),
  );

import { eventAt, journaled } from '../../store/journal-lines.ts';
import type { StoredEvent } from '../../../src/event.ts';

const at = (time: string, fields: Partial<StoredEvent>): StoredEvent =>
  eventAt(time, 'catalogue', fields);

/**
 * The events that the cases ask about: a small catalogue around the end of daylight saving in
 * Berlin (2026-10-25, 01:00 UTC), where 02:15 local time happens twice.
 */
export const catalogue: readonly StoredEvent[] = [
  at('2026-10-24T21:30:00.000Z', { item: 'trees', 'user.id': 'v1', referer: 'arcgis.com' }),
  at('2026-10-24T22:30:00.000Z', { item: 'trees', 'user.id': 'v2' }),
  at('2026-10-25T00:15:00.000Z', { item: 'trees', 'user.id': 'v1', labels: { team: 'parks' } }),
  at('2026-10-25T01:15:00.000Z', { item: 'trees', 'user.id': 'v3', labels: { team: 'water' } }),
  at('2026-10-25T01:45:00.000Z', {
    'event.action': 'download',
    item: 'trees',
    'file.extension': 'kml',
    'user.id': 'v3',
    labels: { size: '100' },
    metrics: { size: 100 },
  }),
  at('2026-10-25T22:59:59.999Z', {
    'event.action': 'download',
    item: 'trees',
    'file.extension': 'csv',
    'user.id': 'v1',
    labels: { size: '300' },
    metrics: { size: 300 },
  }),
  at('2026-10-25T23:00:00.000Z', {
    'event.action': 'download',
    item: 'trees',
    'file.extension': 'kml',
    'user.id': 'v2',
    labels: { size: 'large' },
  }),
  at('2026-10-26T08:00:00.000Z', { item: 'roads', 'user.id': 'v2', referer: 'arcgis.com' }),
  at('2026-10-26T08:01:00.000Z', {
    item: 'roads/rivers',
    'user.id': 'v1',
    referer: 'washingtonpost.com/articles/dc-news',
  }),
  vital('2026-10-26T08:02:00.000Z', 'LCP', 1200, 'good'),
  vital('2026-10-26T08:02:10.000Z', 'LCP', 2600, 'needs-improvement'),
  vital('2026-10-26T08:02:20.000Z', 'LCP', 4800, 'poor'),
  vital('2026-10-26T08:02:30.000Z', 'CLS', 0.0625, 'good'),
  at('2026-10-26T08:03:00.000Z', {
    item: 'roads',
    bot: true,
    tags: ['bot', 'referrer_spam'],
    labels: { team: ['parks', 'water'] },
  }),
  eventAt('2026-10-26T08:04:00.000Z', 'intranet', {
    'event.action': 'log',
    'http.request.method': 'GET',
    'http.response.status_code': 404,
  }),
  at('2026-10-26T08:05:00.000Z', {
    'event.action': 'engagement',
    item: 'roads',
    'user.id': 'v1',
    duration: 30_000,
  }),
  at('2026-10-26T08:06:00.000Z', {
    'event.action': 'engagement',
    item: 'roads',
    'user.id': 'v2',
    duration: 90_000,
    tags: ['privacy'],
  }),
];

export const catalogueAtRest: readonly Readonly<Record<string, unknown>>[] = journaled(
  'catalogue',
  1,
  catalogue,
).map((event) => ({ ...event }));

function vital(time: string, name: string, value: number, rating: string): StoredEvent {
  return at(time, {
    'event.action': 'vital',
    item: 'roads',
    'browser.web_vital.name': name,
    'browser.web_vital.value': value,
    'browser.web_vital.rating': rating,
  });
}

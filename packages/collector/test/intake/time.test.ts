import { describe, expect, it } from 'vitest';
import { TAGS } from '../../src/event.ts';
import { formatTime, parseTime } from '../../src/intake/time.ts';
import { NOW, take, takeOne } from './test-intake.ts';

describe('a time on the wire', () => {
  it.each<[unknown, string]>([
    ['2026-11-23T10:05:03.123Z', '2026-11-23T10:05:03.123Z'],
    ['2026-11-23T10:05:03.123456789Z', '2026-11-23T10:05:03.123Z'],
    ['2026-11-23T10:05:03,5+01:00', '2026-11-23T09:05:03.500Z'],
    ['2026-11-23t10:05:03z', '2026-11-23T10:05:03.000Z'],
    ['2026-11-23T10:05:03+0130', '2026-11-23T08:35:03.000Z'],
    ['2026-11-23T10:05:03-05', '2026-11-23T15:05:03.000Z'],
    ['2026-11-23 10:05:03.120', '2026-11-23T10:05:03.120Z'],
    ['2026-11-23T10:05Z', '2026-11-23T10:05:00.000Z'],
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['17/May/2015:10:05:03 +0000', '2015-05-17T10:05:03.000Z'],
    ['[25/Apr/2017:10:12:52 -0700]', '2017-04-25T17:12:52.000Z'],
    [1795428303123, '2026-11-23T10:05:03.123Z'],
    [1795428303.123456, '2026-11-23T10:05:03.123Z'],
    ['1795428303.123', '2026-11-23T10:05:03.123Z'],
    ['1795428303123', '2026-11-23T10:05:03.123Z'],
  ])('%s is %s', (given, expected) => {
    expect(formatTime(parseTime(given))).toBe(expected);
  });

  it.each([
    'yesterday',
    '',
    '2026-02-29',
    '2026-13-01',
    '2026-00-01',
    '2026-11-23T24:00:00Z',
    '2026-11-23T10:60:00Z',
    '2026-11-23T10:05:03+1',
    '1969-12-31T23:00:00Z',
    '17/Mai/2015:10:05:03 +0000',
    'Nov 23 10:05:03',
    -1,
    1e16,
    Number.POSITIVE_INFINITY,
    true,
    [],
  ])('%s cannot be read', (given) => {
    expect(parseTime(given)).toBeNaN();
  });

  it('is written as Date does it, on either side of midnight', () => {
    for (const ms of [0, 86_399_999, 86_400_000, NOW, NOW + 43_200_000 - 1, NOW + 43_200_000]) {
      expect(formatTime(ms)).toBe(new Date(ms).toISOString());
    }
  });
});

const iso = (ms: number): string => new Date(ms).toISOString();
const HOUR = 3_600_000;

describe('the time of an event', () => {
  it('is that of receipt where it says none', () => {
    const event = takeOne({ item: 'a' });
    expect(event['@timestamp']).toBe(iso(NOW));
    expect(event).not.toHaveProperty('event.created');
  });

  it.each([
    ['time', { time: NOW - 1, timestamp: NOW - 2, '@timestamp': NOW - 3, date: NOW - 4 }],
    ['timestamp', { timestamp: NOW - 1, '@timestamp': NOW - 3, date: NOW - 4 }],
    ['@timestamp', { '@timestamp': NOW - 1, date: NOW - 4 }],
    ['@timestamp, where timestamp cannot be read', { timestamp: 'soon', '@timestamp': NOW - 1 }],
    ['date', { date: (NOW - 1) / 1000 }],
  ])('is read from %s first', (_name, times) => {
    expect(takeOne(times)['event.created']).toBe(iso(NOW - 1));
  });

  it('keeps what does not count under the application’s keys', () => {
    const event = takeOne({ time: NOW, timestamp: 'T1', date: '2027-01-01', '@timestamp': 5 });
    expect(event['labels']).toEqual({ timestamp: 'T1', date: '2027-01-01' });
  });

  it.each([
    ['a clock within 5 minutes is left alone', -4.9 * 60_000, 0],
    ['a clock behind is corrected', -2 * HOUR, -2 * HOUR],
    ['a clock ahead is corrected', 3 * HOUR, 3 * HOUR],
  ])('%s', (_name, off, correction) => {
    const event = takeOne({ item: 'a', time: NOW + off - 1000, sent: NOW + off });
    expect(event['@timestamp']).toBe(iso(NOW + off - 1000 - correction));
    expect(event['event.created']).toBe(iso(NOW + off - 1000));
    expect(event['tags']).toEqual(correction === 0 ? undefined : [TAGS.clockCorrected]);
  });

  it('takes `sent` of the first event for all of a body', () => {
    const off = -2 * HOUR;
    const { events } = take([
      { time: NOW + off - 1, sent: NOW + off },
      { time: NOW + off - 2 },
      { time: NOW - 3, sent: NOW },
    ]);
    expect(events.map((event) => event['@timestamp'])).toEqual([
      iso(NOW - 1),
      iso(NOW - 2),
      iso(NOW - 3),
    ]);
    expect(events[0]).not.toHaveProperty('labels');
  });

  it('is now, and tagged, where it lies more than an hour ahead', () => {
    const event = takeOne({ item: 'a', time: NOW + HOUR + 1 });
    expect(event['@timestamp']).toBe(iso(NOW));
    expect(event['event.created']).toBe(iso(NOW + HOUR + 1));
    expect(event['tags']).toEqual([TAGS.clockAhead]);
    expect(takeOne({ time: NOW + HOUR })['@timestamp']).toBe(iso(NOW + HOUR));
  });

  it('refuses an event of a day before those of the setting, but takes an imported one', () => {
    const first = (Math.floor(NOW / (24 * HOUR)) - 90) * 24 * HOUR;
    const old = { item: 'a', time: first - 1, sent: first };
    expect(take({ item: 'a', time: old.time }).reasons[0]).toContain('older');
    expect(takeOne({ item: 'a', time: old.time + 1 })['@timestamp']).toBe(iso(old.time + 1));
    expect(takeOne(old, { imported: true })['@timestamp']).toBe(iso(old.time));
  });

  it('keeps the identity of a retry, whatever the network adds', () => {
    const created = [0, 700].map((late) => {
      const sent = NOW - 6 * HOUR;
      return takeOne({ id: 'a', time: sent - 5, sent }, { receivedAt: NOW + late })[
        'event.created'
      ];
    });
    expect(created[0]).toBe(created[1]);
  });
});

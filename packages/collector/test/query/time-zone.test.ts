import { describe, expect, it } from 'vitest';
import {
  bucketStart,
  canonicalTimeZone,
  offsetSpans,
  startOfLocalDay,
} from '../../src/query/time-zone.ts';

const hourMs = 3_600_000;

describe('time zones', () => {
  it.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    ['europe/berlin', 'Europe/Berlin'],
    ['utc', 'UTC'],
    ['+05:30', '+05:30'],
    ['Mars/Olympus', undefined],
    ['', undefined],
    ['2026-01-01[Europe/Berlin]', undefined],
    ['2026-01-01T00:00Z', undefined],
  ])('%j is %j', (name, canonical) => {
    expect(canonicalTimeZone(name)).toBe(canonical);
  });

  it('give their offsets over a range', () => {
    const year = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)] as const;
    expect(offsetSpans(...year, 'Europe/Berlin')).toEqual([
      { until: Date.UTC(2026, 2, 29, 1), offsetMs: hourMs },
      { until: Date.UTC(2026, 9, 25, 1), offsetMs: 2 * hourMs },
      { until: Infinity, offsetMs: hourMs },
    ]);
    expect(offsetSpans(...year, 'UTC')).toEqual([{ until: Infinity, offsetMs: 0 }]);
    expect(offsetSpans(...year, '+05:30')).toEqual([{ until: Infinity, offsetMs: 5.5 * hourMs }]);
  });

  it('end the offsets of a range without an end', () => {
    expect(offsetSpans(0, 8.64e15, 'Europe/Berlin').length).toBeLessThan(300);
  });

  it.each([
    ['minute', '2026-10-25T01:15:00.000Z'],
    ['hour', '2026-10-25T01:00:00.000Z'],
    ['day', '2026-10-24T22:00:00.000Z'],
    ['week', '2026-10-18T22:00:00.000Z'],
    ['month', '2026-09-30T22:00:00.000Z'],
  ] as const)('begin the %s', (interval, start) => {
    const at = Date.parse('2026-10-25T01:15:42.123Z');
    expect(new Date(bucketStart(at, interval, 'Europe/Berlin')).toISOString()).toBe(start);
  });

  it('begin a day that has no midnight', () => {
    const start = startOfLocalDay(Date.UTC(2026, 3, 24), 'Africa/Cairo');
    expect(new Date(start).toISOString()).toBe('2026-04-23T22:00:00.000Z');
  });
});

import { describe, expect, it } from 'vitest';
import { keptOf, period } from '../../src/tock/period.ts';

const now = Date.UTC(2026, 10, 23, 23, 30);

function dates(request: { from?: string; to?: string }, timeZone = 'UTC'): string[] {
  const { from, to } = period({ ...request, timeZone }, now);
  return [from, to].map((ms) => new Date(ms).toISOString());
}

describe('the period of a tock', () => {
  it('is today and the 29 days before', () => {
    expect(dates({})).toEqual(['2026-10-25T00:00:00.000Z', '2026-11-24T00:00:00.000Z']);
  });

  it('takes today from the zone', () => {
    expect(dates({}, 'Asia/Tokyo')).toEqual([
      '2026-10-25T15:00:00.000Z',
      '2026-11-24T15:00:00.000Z',
    ]);
  });

  it('holds both of its ends', () => {
    expect(dates({ from: '2026-11-22', to: '2026-11-22' })).toEqual([
      '2026-11-22T00:00:00.000Z',
      '2026-11-23T00:00:00.000Z',
    ]);
  });

  it('ends today where only from is given', () => {
    expect(dates({ from: '2026-01-01' })).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-11-24T00:00:00.000Z',
    ]);
  });

  it('starts 29 days earlier where only to is given', () => {
    expect(dates({ to: '2026-03-30' })).toEqual([
      '2026-03-01T00:00:00.000Z',
      '2026-03-31T00:00:00.000Z',
    ]);
  });

  it.each([
    ['2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['2026-10-25', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
  ])('has the hours that %s has in Berlin', (day, from, to) => {
    expect(dates({ from: day, to: day }, 'Europe/Berlin')).toEqual([from, to]);
  });

  it('begins a day without midnight with its first hour', () => {
    expect(dates({ from: '2026-04-24', to: '2026-04-24' }, 'Africa/Cairo')).toEqual([
      '2026-04-23T22:00:00.000Z',
      '2026-04-24T21:00:00.000Z',
    ]);
  });

  it('refuses to run backwards', () => {
    expect(() => dates({ from: '2026-11-03', to: '2026-11-02' })).toThrow(/after to.*swap/);
    expect(() => dates({ from: '2027-01-01' })).toThrow(/after today/);
  });
});

describe('a period of which days are dropped', () => {
  const utc = (day: string): number => Date.parse(day);
  const kept = (
    request: { from?: string; to?: string },
    { timeZone = 'UTC', counts = '2026-11-16' } = {},
  ): string[] => {
    const whole = period({ ...request, timeZone }, now);
    const { from, to } = keptOf(whole, { events: utc('2026-11-16'), counts: utc(counts) });
    return [from, to].map((ms) => new Date(ms).toISOString());
  };

  it('reaches back as far as counts do, where it is of days of UTC', () => {
    const ofCounts = (from: string, timeZone = 'UTC') =>
      kept({ from }, { timeZone, counts: '2026-11-09' })[0];
    expect(ofCounts('2026-11-09')).toBe('2026-11-09T00:00:00.000Z');
    expect(ofCounts('2026-11-09', 'Europe/London')).toBe('2026-11-09T00:00:00.000Z');
    expect(() => ofCounts('2026-11-08')).toThrow(
      '2026-11-08 is beyond the retention: the first whole day whose counts are kept is 2026-11-09',
    );
    expect(() => ofCounts('2026-11-09', 'Asia/Tokyo')).toThrow(
      '2026-11-09 is beyond the retention: the first whole day whose events are kept is 2026-11-17; counts of whole UTC days are kept longer: ask with tz=UTC',
    );
  });

  it('reaches back as far as events do, where counts begin later', () => {
    expect(kept({ from: '2026-11-16' }, { counts: '2026-11-20' })[0]).toBe(
      '2026-11-16T00:00:00.000Z',
    );
    expect(() => kept({ from: '2026-11-15' }, { counts: '2026-11-20' })).toThrow(
      '2026-11-15 is beyond the retention: the first whole day whose events are kept is 2026-11-16',
    );
  });

  it('begins with the first day that is kept where none is asked for', () => {
    expect(kept({})).toEqual(['2026-11-16T00:00:00.000Z', '2026-11-24T00:00:00.000Z']);
    expect(kept({ to: '2026-11-20' })).toEqual([
      '2026-11-16T00:00:00.000Z',
      '2026-11-21T00:00:00.000Z',
    ]);
  });

  it('may begin with that day', () => {
    expect(kept({ from: '2026-11-16' })[0]).toBe('2026-11-16T00:00:00.000Z');
    expect(kept({ from: '2026-11-16' }, { timeZone: 'America/New_York' })[0]).toBe(
      '2026-11-16T05:00:00.000Z',
    );
  });

  it.each([
    [{ from: '2026-11-15' }, 'UTC', '2026-11-15', '2026-11-16'],
    [{ to: '2026-11-15' }, 'UTC', '2026-11-15', '2026-11-16'],
    [{ from: '2026-11-16' }, 'Asia/Tokyo', '2026-11-16', '2026-11-17'],
    [{ from: '2026-11-15' }, 'America/New_York', '2026-11-15', '2026-11-16'],
  ])('is refused for %j in %s', (request, timeZone, asked, first) => {
    expect(() => kept(request, { timeZone })).toThrow(
      `${asked} is beyond the retention: the first whole day whose events are kept is ${first}`,
    );
  });
});

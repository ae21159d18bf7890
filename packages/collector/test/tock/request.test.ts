import { describe, expect, it } from 'vitest';
import { parseRequest, type Request } from '../../src/tock/request.ts';
import type { Statistic } from '../../src/tock/statistic.ts';
import { items } from '../../src/tock/statistics/items.ts';
import { live } from '../../src/tock/statistics/live.ts';
import { tock } from '../../src/tock/statistics/tock.ts';

const rules = { names: tock.parameters, timeZone: 'Europe/Berlin' };

const parse = (parameters: string, item?: string): Request =>
  parseRequest(item, new URLSearchParams(parameters), rules);

describe('the parameters of a request', () => {
  it('have defaults', () => {
    expect(parse('', 'trees')).toEqual({
      scope: { kind: 'item', item: 'trees' },
      timeZone: 'Europe/Berlin',
      bots: 'exclude',
      noise: 'exclude',
      by: 'views',
    });
  });

  it('are read', () => {
    const asked =
      'from=2026-11-01&to=2026-11-23&tz=america/new_york&interval=hour&limit=5&app=shop&bots=include';
    expect(parse(asked, 'a/b c.csv')).toEqual({
      scope: { kind: 'item', item: 'a/b c.csv' },
      from: '2026-11-01',
      to: '2026-11-23',
      timeZone: 'America/New_York',
      interval: 'hour',
      limit: 5,
      app: 'shop',
      bots: 'include',
      noise: 'exclude',
      by: 'views',
    });
  });

  it.each([
    ['', { kind: 'site' }],
    ['item=a', { kind: 'items', items: ['a'] }],
    ['item=a&item=b%2Fc&item=a', { kind: 'items', items: ['a', 'b/c'] }],
    ['item=constructor&item=1', { kind: 'items', items: ['constructor', '1'] }],
    ['prefix=datasets/', { kind: 'prefix', prefix: 'datasets/' }],
    ['prefix=', { kind: 'prefix', prefix: '' }],
  ])('of the whole site take %j', (parameters, scope) => {
    expect(parse(parameters).scope).toEqual(scope);
  });

  it.each([
    ['from=yesterday', 'trees', /from must be a date such as 2026-11-23/],
    ['from=2026-02-29', 'trees', /from must be a date/],
    ['to=2026-1-1', 'trees', /to must be a date/],
    ['to=', 'trees', /to must be a date/],
    ['to=2026-11-23T10:00Z', 'trees', /to must be a date/],
    ['tz=Mars/Olympus', 'trees', /tz must be an IANA time zone/],
    ['tz=', 'trees', /tz must be/],
    ['interval=minute', 'trees', /interval must be one of hour, day, week, month/],
    ['interval=Day', 'trees', /interval must be one of/],
    ['limit=0', 'trees', /limit must be a whole number from 1 to 10000/],
    ['limit=10001', 'trees', /limit must be/],
    ['limit=-1', 'trees', /limit must be/],
    ['limit=1e3', 'trees', /limit must be/],
    ['limit=', 'trees', /limit must be/],
    ['limit=99999999999999999999', 'trees', /limit must be/],
    ['app=', 'trees', /app must not be empty/],
    ['bots=yes', 'trees', /bots must be include or exclude/],
    ['form=2026-11-01', 'trees', /no parameter "form": did you mean from\?/],
    ['timezone=UTC', 'trees', /no parameter "timezone"/],
    ['__proto__=1', 'trees', /no parameter "__proto__"/],
    ['constructor=1', 'trees', /no parameter "constructor"/],
    ['item=b', 'trees', /no parameter "item"/],
    ['from=2026-11-01&from=2026-11-02', 'trees', /give from once/],
    ['', '', /item must not be empty/],
    ['item=a&item=', undefined, /item must not be empty/],
    ['item=a&prefix=b', undefined, /either item or prefix/],
    ['prefix=a&prefix=b', undefined, /prefix once/],
    [Array.from({ length: 101 }, (_, n) => `item=${n}`).join('&'), undefined, /at most 100 items/],
  ])('refuse %s', (parameters, item, message) => {
    expect(() => parse(parameters, item)).toThrow(
      expect.objectContaining({ code: 'bad-request', message: expect.stringMatching(message) }),
    );
  });

  it('are those of their statistic', () => {
    const site = (query: string, names: Statistic['parameters'], scopes?: ['prefix']) =>
      parseRequest(undefined, new URLSearchParams(query), {
        ...rules,
        names,
        ...(scopes && { scopes }),
      });
    expect(site('by=downloads&prefix=a', items.parameters, ['prefix'])).toMatchObject({
      by: 'downloads',
      scope: { kind: 'prefix', prefix: 'a' },
    });
    expect(() => site('by=download', items.parameters)).toThrow(
      /by must be one of views, downloads/,
    );
    expect(() => site('item=a', items.parameters, ['prefix'])).toThrow(/no parameter "item"/);
    expect(() => site('from=2026-11-01', live.parameters)).toThrow(/no parameter "from"/);
    expect(() => parse('by=views')).toThrow(/no parameter "by": there are/);
  });
});

import { describe, expect, it } from 'vitest';
import { takeOne, testIntake } from './test-intake.ts';

const action = (fields: Record<string, unknown>): unknown => takeOne(fields)['event.action'];

describe('a line of an access log', () => {
  it.each([
    ['a page', { method: 'GET', status: 200, url: '/datasets/roads' }, 'view'],
    ['a page that the cache still had', { method: 'GET', status: 304, url: '/' }, 'view'],
    ['a page, status unknown', { method: 'GET', url: '/about' }, 'view'],
    ['a page, method unknown', { status: 200, url: '/about' }, 'view'],
    ['a given item', { method: 'GET', status: 200, item: 'a' }, 'view'],
    ['a lower-case method', { method: 'get', status: '200', url: '/' }, 'view'],
    [
      'a pattern with a format',
      { method: 'GET', status: 200, url: '/datasets/a.json' },
      'download',
    ],
    ['a part of a file', { method: 'GET', status: 206, url: '/datasets/a.csv' }, 'download'],
    ['a file', { method: 'GET', status: 200, url: '/files/report.PDF?v=2' }, 'download'],
    ['data without a pattern', { method: 'GET', status: 200, url: '/api/roads.json' }, 'view'],
    ['a part of a page', { method: 'GET', status: 200, url: '/assets/site.css' }, 'log'],
    ['a part of a page by a pattern', { status: 200, url: '/datasets/site.css' }, 'download'],
    ['robots.txt', { method: 'GET', status: 200, url: '/robots.txt' }, 'log'],
    ['a sitemap', { method: 'GET', status: 200, url: '/sitemap-1.xml' }, 'log'],
    ['HEAD', { method: 'HEAD', status: 200, url: '/datasets/roads' }, 'log'],
    ['POST', { method: 'POST', status: 200, url: '/datasets/roads' }, 'log'],
    ['a redirect', { method: 'GET', status: 301, url: '/datasets/roads' }, 'log'],
    ['nothing there', { method: 'GET', status: 404, url: '/datasets/roads.csv' }, 'log'],
    ['no content', { method: 'GET', status: 204, url: '/pixel' }, 'log'],
    ['an error', { method: 'GET', status: 500, url: '/datasets/roads' }, 'log'],
    ['neither URL nor item', { method: 'GET', status: 200 }, 'log'],
    ['what the event says', { event: 'api', method: 'POST', status: 500, url: '/' }, 'api'],
  ])('of %s', (_name, fields, expected) => {
    expect(action(fields)).toBe(expected);
  });

  it('meets a browser’s view of the same dataset in one item', () => {
    const browser = takeOne({ event: 'view', url: 'https://data.example.org/datasets/roads' });
    const server = takeOne({ verb: 'GET', request: '/datasets/roads.csv', response: '200' });
    expect(server).toMatchObject({ item: browser['item'], 'file.extension': 'csv' });
  });

  it.each([
    {
      request: 'GET /datasets/roads?x=1 HTTP/1.1',
      code: 200,
      ua: 'Fx',
      remote_host: '203.0.113.7',
    },
    {
      verb: 'GET',
      request: '/datasets/roads?x=1',
      response: '200',
      agent: '"Fx"',
      referrer: '"-"',
    },
    {
      request_method: 'GET',
      request_uri: '/datasets/roads?x=1',
      status: '200',
      http_user_agent: 'Fx',
    },
    { method: 'GET', path: '/datasets/roads?x=1', code: '200', agent: 'Fx', referer: '-' },
    { method: 'GET', uri: '/datasets/roads?x=1', status: 200, ua: 'Fx', http_referer: '-' },
  ])('is read from %j', (fields) => {
    const event = takeOne(fields);
    expect(event).toMatchObject({
      'event.action': 'view',
      item: 'roads',
      'url.full': '/datasets/roads?x=1',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
    });
    expect(event).not.toHaveProperty('labels');
    expect(event).not.toHaveProperty('http.request.referrer');
  });

  it('leaves these names to the application elsewhere', () => {
    const fields = {
      request: 'GET me',
      path: '/a',
      agent: 'Smith',
      code: 7,
      response: 'yes',
      host: 'h',
    };
    expect(takeOne(fields)).toMatchObject({
      'event.action': 'log',
      labels: { ...fields, code: '7' },
      metrics: { code: 7 },
    });
    const said = { event: 'x', method: 'GET', path: '/a', agent: 'Smith' };
    expect(takeOne(said)['labels']).toEqual({ path: '/a', agent: 'Smith' });
  });

  it('takes a `host` for the site’s, unless it is a machine’s name or an address', () => {
    const line = { method: 'GET', path: '/a', referer: 'https://shop.example/b' };
    const intake = testIntake({ ownHosts: [] });
    expect(takeOne({ ...line, host: 'www.Shop.example' }, {}, intake)).not.toHaveProperty(
      'referer',
    );
    expect(takeOne({ ...line, host: 'shop.example:8080' })['url.domain']).toBe('shop.example');
    expect(takeOne({ ...line, host: 'web-1' })).toMatchObject({
      referer: 'shop.example/b',
      labels: { host: 'web-1' },
    });
    expect(takeOne({ ...line, host: '203.0.113.7' })).toMatchObject({ 'visitor.daily': true });
  });

  it('keeps the log’s own file and other paths as the application’s', () => {
    const event = takeOne({
      method: 'GET',
      url: '/datasets/roads.csv',
      file: '/var/log/a.log',
      path: '/var/log/a.log',
    });
    expect(event).toMatchObject({
      'file.path': '/datasets/roads.csv',
      labels: { file: '/var/log/a.log', path: '/var/log/a.log' },
    });
  });
});

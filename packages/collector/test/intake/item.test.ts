import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ItemPattern } from '../../src/intake/intake.ts';
import { createIntake } from '../../src/intake/intake.ts';
import { compileItemPatterns } from '../../src/intake/item-patterns.ts';
import { readUrl } from '../../src/intake/url.ts';
import { takeOne, testIntake } from './test-intake.ts';

const itemOf = (pattern: ItemPattern | string, url: string, app = 'default'): unknown => {
  const patterns = [typeof pattern === 'string' ? { pattern } : pattern];
  return takeOne({ url, app }, {}, testIntake({ patterns }))['item'];
};

describe('the item of a URL', () => {
  it.each([
    ['/datasets/:item', 'https://a.org/datasets/roads', 'roads'],
    ['/datasets/:item', 'https://a.org/datasets/roads/?q=1#x', 'roads'],
    ['/datasets/:item', '/datasets/roads', 'roads'],
    ['/datasets/:item', 'https://a.org/datasets/d%C3%A9partements%2F75', 'départements/75'],
    ['/datasets/:item', 'https://a.org/datasets/départements', 'départements'],
    ['/datasets/:item', 'https://a.org/datasets/100%', '100%'],
    ['/datasets/:item.:format([^./]+)', 'https://a.org/datasets/a.b.csv', 'a.b'],
    ['/:kind(datasets|maps)/:item', 'https://a.org/maps/roads', 'roads'],
    ['/datasets/:item(\\d+)', 'https://a.org/datasets/42', '42'],
    ['/datasets/:item(\\d+)', 'https://a.org/datasets/x', '/datasets/x'],
    ['/d/:item*', 'https://a.org/d/a/b/c', 'a/b/c'],
    ['/view?id=:item', 'https://a.org/view?id=roads', 'roads'],
    ['https://data.example.org/:item', 'https://data.example.org/roads', 'roads'],
    ['https://data.example.org/:item', 'https://a.org/roads', '/roads'],
    ['https://:item.example.org/*', 'https://roads.example.org/x', 'roads'],
    ['/café/:item', 'https://a.org/caf%C3%A9/x', 'x'],
    ['/none', 'https://a.org/datasets/roads/', '/datasets/roads'],
    ['/none/:item', 'https://a.org/caf%C3%A9', '/caf%C3%A9'],
    ['/none/:item', 'https://a.org/', '/'],
    ['/none/:item', 'https://a.org', '/'],
    ['/none/:item', '//a//b//', '//a//b'],
    ['/none/:item', 'app://home/settings', '/settings'],
    ['/none/:item', 'about:blank', undefined],
    ['/none/:item', 'not a url', undefined],
  ])('by %s of %s is %s', (pattern, url, item) => {
    expect(itemOf(pattern === '/none' ? { pattern, item: 'none' } : pattern, url)).toBe(item);
  });

  it('is put together as the pattern says', () => {
    const pattern = { pattern: '/:publisher/:name', item: ':publisher/:name' };
    expect(itemOf(pattern, 'https://a.org/dc%20gov/roads')).toBe('dc gov/roads');
    expect(itemOf({ pattern: '/about', item: 'about us' }, 'https://a.org/about')).toBe('about us');
  });

  it('may depend on the app', () => {
    const intake = testIntake({
      patterns: [
        { app: 'maps', pattern: '/:item/map' },
        { pattern: '/:item/map', item: 'any :item' },
      ],
    });
    const item = (app: string): unknown => takeOne({ url: '/a/map', app }, {}, intake)['item'];
    expect([item('maps'), item('other'), item('maps')]).toEqual(['a', 'any a', 'a']);
  });

  it('gives way to the one that is given', () => {
    expect(takeOne({ url: '/datasets/roads', item: 'given' })['item']).toBe('given');
  });

  it.each([
    ['/datasets/:item(', 'is not a URLPattern'],
    ['/datasets/*', 'has no :item'],
  ])('cannot be told by %s', (pattern, message) => {
    expect(() => createIntake({ salt: () => '', patterns: [{ pattern }] })).toThrow(message);
    expect(() => createIntake({ salt: () => '', patterns: [{ pattern }] })).toThrow(
      expect.objectContaining({ code: 'config' }) as Error,
    );
  });

  it('is found by our own expressions as by URLPattern', () => {
    const literal = fc.stringMatching(/^[a-z.$^|&=~@!',;_-]{0,4}$/u);
    const group = fc.constantFrom(':item', ':item([^.\\/]+)', ':item(\\d+)', ':item(a|b)');
    const path = fc.stringMatching(/^(\/[a-c0-9.$^|&=~@!',;_%-]{0,6}){1,3}$/u);
    fc.assert(
      fc.property(literal, group, literal, path, (before, named, after, pathname) => {
        const pattern = `/${before}${named}${after}`;
        const url = readUrl(pathname, 8192);
        const found = compileItemPatterns([{ pattern }])(url, '')?.item;
        const expected = new URLPattern({ pathname: pattern });
        const groups =
          expected.exec({ pathname: url.path }) ??
          expected.exec({ pathname: url.path.replace(/(?<=.)\/+$/u, '') });
        expect(found).toBe(decoded(groups?.pathname.groups['item']));
      }),
      { numRuns: 2000 },
    );
  });
});

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}

describe('a download', () => {
  const page = 'https://data.example.org/datasets/roads';
  it.each([
    ['its own item', { item: 'given', file: '/datasets/a.csv', page_item: 'p' }, 'given', 'csv'],
    ['the file’s pattern', { file: '/datasets/a.CSV', page_item: 'p' }, 'a', 'csv'],
    ['the page’s item', { file: '/files/a.pdf', page_item: 'p' }, 'p', 'pdf'],
    ['the page’s URL', { file: 'https://cdn.example.com/a.tar.gz?x=1' }, 'roads', 'gz'],
    ['no ending', { file: '/files/export' }, 'roads', 'other'],
    ['a number as ending', { file: '/files/v1.5' }, 'roads', 'other'],
    ['a name that is made in the page', { file: 'blob:table.XLSX' }, 'roads', 'xlsx'],
    ['a given format', { file: '/files/a.zip', format: 'SHP' }, 'roads', 'shp'],
    ['no file', {}, 'roads', 'other'],
  ])('with %s', (_name, fields, item, format) => {
    const event = takeOne({ event: 'download', url: page, ...fields });
    expect(event).toMatchObject({ item, 'file.extension': format, 'url.path': '/datasets/roads' });
  });

  it('without a page is of the file', () => {
    const event = takeOne({ event: 'download', file: '/files/a.pdf' });
    expect(event).toMatchObject({ 'file.path': '/files/a.pdf', 'file.extension': 'pdf' });
    expect(event['item']).toBe('/files/a.pdf');
  });
});

describe('a URL', () => {
  it('loses user and password', () => {
    const event = takeOne({ url: 'https://user:pass@Example.org:8080/a' });
    expect(event).toMatchObject({
      'url.full': 'https://example.org:8080/a',
      'url.domain': 'example.org',
    });
  });

  it('gives its campaign, where the event does not', () => {
    const url = '/a?utm_source=news&utm_medium=mail&utm_term=&utm_x=%00&other=1';
    expect(takeOne({ url, utm_medium: 'own' })['labels']).toEqual({
      utm_source: 'news',
      utm_medium: 'own',
      utm_x: '\uFFFD',
    });
  });
});

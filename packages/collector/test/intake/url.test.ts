import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainParts, standardParts } from '../../src/intake/url.ts';

/** What URLs are made of, and what the standard rewrites. */
const PIECES = [
  ' ',
  '\t',
  '\n',
  '\u00AD',
  ...'a B 7 - _ . .. / // /. /.. ? # & = + %2e %2F % \\ " < | ^ ` { @ : :80 ; ~ é'.split(' '),
  ..."' xn-- xn--nxasmq6b 0x7f 1.2 data.example.org".split(' '),
];
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((parts) => parts.join(''));
const url = fc
  .tuple(fc.constantFrom('', 'http://', 'https://', 'http:/'), text, text)
  .map(([scheme, start, end]) => `${scheme}${start}/${end}`);

test('a plain URL is read as the standard reads it', () => {
  fc.assert(
    fc.property(url, (given) => {
      const parts = plainParts(given);
      if (parts !== undefined) expect(parts).toEqual(standardParts(given));
    }),
    { numRuns: 5_000 },
  );
});

test.for([
  'https://data.example.org/datasets/road-network-1?tab=preview&q=a%20b',
  'http://www.example.org/a.b/c.csv#part-2',
  '/datasets/a.csv',
])('%s is plain', (given) => {
  expect(plainParts(given)).toEqual(standardParts(given));
});

test.for([
  'https://example.org',
  'https://Example.org/',
  'https://user@example.org/',
  'https://example.org:8080/',
  'https://xn--nxasmq6b/',
  'https://127.0.0.1/',
  'https://1.0x7f/',
  'https://example.org/a/../b',
  'https://example.org/%2e%2e/b',
  'https://example.org/a b',
  'about:blank',
])('%s is for the parser of the standard', (given) => {
  expect(plainParts(given)).toBeUndefined();
});

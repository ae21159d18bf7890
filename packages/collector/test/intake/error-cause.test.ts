import { describe, expect, it } from 'vitest';
import { TAGS } from '../../src/event.ts';
import { takeOne } from './test-intake.ts';

const cause = (message: string, stack = ''): unknown =>
  takeOne({ event: 'error', message, stack })['error.grouping_key'];

const CHROME = (line: number, file = 'app.3f9a1c2b.js', call = 'render'): string =>
  `TypeError: x is undefined\n    at ${call} (https://a.org/static/${file}?v=${line}:${line}:7)\n    at main (https://a.org/m.js:1:1)`;
const FIREFOX = (line: number): string =>
  `render@https://a.org/static/app.77aa88bb.js:${line}:9\nmain@https://a.org/m.js:1:1`;

describe('errors of one cause', () => {
  it.each([
    ['numbers', 'timeout after 3000 ms', 'timeout after 250 ms'],
    ['URLs', 'cannot load https://a.org/1?x', 'cannot load https://b.org/other'],
    [
      'ids',
      'no user 0b06c5f2-9a3e-4c1b-8d3f-1f2e3d4c5b6a',
      'no user aaaaaaaa-9a3e-4c1b-8d3f-000000000000',
    ],
    ['hashes', 'chunk 3f9a1c2b77 failed', 'chunk 00ffaa11bb22 failed'],
  ])('differ in %s', (_name, one, other) => {
    expect(cause(one)).toBe(cause(other));
  });

  it('come from one place, in whatever release and browser', () => {
    expect(cause('x', CHROME(1))).toBe(cause('x', CHROME(20, 'app.99887766.js')));
    expect(cause('x', CHROME(1))).toBe(cause('x', FIREFOX(5)));
  });

  it.each([
    ['message', cause('a is not a function'), cause('b is not a function')],
    ['function', cause('x', CHROME(1)), cause('x', CHROME(1, 'app.3f9a1c2b.js', 'draw'))],
    ['file', cause('x', CHROME(1)), cause('x', CHROME(1, 'other.js'))],
  ])('are told from others by %s', (_name, one, other) => {
    expect(one).not.toBe(other);
  });

  it('may be named by the application', () => {
    const event = takeOne({ event: 'error', message: 'x', fingerprint: 'checkout' });
    expect(event['error.grouping_key']).toBe('checkout');
  });

  it('are only looked for in errors', () => {
    const event = takeOne({ event: 'note', message: 'Script error.' });
    expect(event).toMatchObject({ message: 'Script error.' });
    expect(Object.keys(event).filter((key) => key.startsWith('error.'))).toEqual([]);
  });
});

describe('noise', () => {
  const EXTENSION = 'chrome-extension://abcdef/content.js';
  it.each([
    ['a script of another origin', { message: 'Script error.' }],
    ['an extension’s source', { message: 'x', source: EXTENSION }],
    ['an extension’s stack', { message: 'x', stack: `Error: x\n    at f (${EXTENSION}:1:2)` }],
    ['what the SDK says', { message: 'x', noise: true }],
  ])('is %s', (_name, fields) => {
    expect(takeOne({ event: 'error', ...fields })['tags']).toEqual([TAGS.noise]);
  });

  it.each([
    { message: 'Script error.', stack: CHROME(1) },
    { message: 'x', stack: `${CHROME(1)}\n    at g (${EXTENSION}:1:2)` },
    { message: EXTENSION },
    { message: 'Unsupported file extension: .csv' },
  ])('is not %j', (fields) => {
    expect(takeOne({ event: 'error', ...fields })).not.toHaveProperty('tags');
  });
});

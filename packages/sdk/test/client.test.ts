import { expect, test } from 'vitest';
import { createClient } from '../src/client.ts';

/** Answers with where it was asked, under each id that was asked for. */
const fetch = (input: URL | RequestInfo): Promise<Response> => {
  const { pathname, search, searchParams } = new URL(input instanceof Request ? input.url : input);
  const asked = pathname + search;
  const ids = searchParams.getAll('item');
  const each = Object.fromEntries(ids.map((id) => [id, asked]));
  return Promise.resolve(Response.json(ids.length === 0 ? asked : each));
};

const client = createClient({ endpoint: 'http://collector.example/base', fetch });

test.each([
  ['trees', '/base/tock/trees/visitors.json'],
  ['a/b', '/base/tock/a%2Fb/visitors.json'],
  ['%2e', '/base/tock/%252e/visitors.json'],
  ['...', '/base/tock/.../visitors.json'],
  ['.', '/base/query/visitors.json?item=.'],
  ['..', '/base/query/visitors.json?item=..'],
])('asks for the item %s by a path that stays as it is', async (item, path) => {
  expect(await client.of(item, 'visitors')).toBe(path);
});

test.each([
  ['trees', '/base/tock/trees.json?limit=1'],
  ['..', '/base/tock.json?item=..&limit=1'],
])('and for its tock: %s', async (item, path) => {
  expect(await client.of(item, 'tock', { limit: 1 })).toBe(path);
});

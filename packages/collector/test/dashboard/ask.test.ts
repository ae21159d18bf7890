import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { askRoutes } from '../../src/dashboard/ask.ts';

const get = async (path: string): Promise<Response> => askRoutes().request(path);

test('the page runs under a policy that allows nothing but files of its own', async () => {
  const page = await (await get('/ask')).text();
  expect(page).toContain('<script type="module" src="/ask.js"></script>');
  expect(page).not.toMatch(/<style|<script>|style=|\son\w+=|https?:/u);
});

test('its scripts are JavaScript, also where the collector runs from its source', async () => {
  for (const path of ['/ask.js', '/indent.js']) {
    const response = await get(path);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const script = await response.text();
    const withoutModule = script.replaceAll(/^import .*$|^export /gmu, '');
    // Compiles it and no more.
    expect(() => new Script(withoutModule)).not.toThrow();
  }
  expect(await (await get('/ask.js')).text()).toContain("from '../../indent.js';");
});

import { fileURLToPath } from 'node:url';

import { nodeResolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import { beforeAll, describe, expect, test } from 'vitest';
import type * as Sdk from '../src/index.ts';
import { late, useVisitor } from './visitor.ts';

declare global {
  interface Window {
    sdk: typeof Sdk;
  }
}

const visitor = useVisitor();

/** Bundles the npm build as an application would, chunk by chunk, and serves it. */
beforeAll(async () => {
  const input = fileURLToPath(new URL('../dist/index.js', import.meta.url));
  const bundle = await rollup({ input, plugins: [nodeResolve()] });
  const { output } = await bundle.generate({ format: 'es' });
  const { site } = visitor.recorder;
  for (const file of output) {
    if (file.type === 'chunk') site[`/app/${file.fileName}`] = file.code;
  }
  site['/app'] = `<!doctype html><title>App</title>
    <script type="module">import * as sdk from '/app/index.js'; window.sdk = sdk</script>`;
});

const openApp = async (): ReturnType<typeof visitor.context.newPage> => {
  const page = await visitor.context.newPage();
  await page.goto(`${visitor.recorder.origin}/app`);
  await page.waitForFunction(() => window.sdk);
  return page;
};

describe('in a page', () => {
  test('calls before `start` are held', async () => {
    const page = await openApp();
    await page.evaluate((endpoint) => {
      window.sdk.setItem('oak');
      window.sdk.track('early', { n: 1 });
      window.sdk.start({ endpoint, app: 'portal' });
      window.sdk.track('later');
    }, visitor.recorder.origin);
    expect(await visitor.accepted('view')).toMatchObject([{ item: 'oak', app: 'portal' }]);
    await visitor.accepted('early');
    await visitor.accepted('later');
  });

  test('vitals and engagement come in a chunk of their own', async () => {
    const page = await openApp();
    await page.evaluate((endpoint) => void window.sdk.start({ endpoint }), visitor.recorder.origin);
    await late(page, '/app/vitals-script');
    await visitor.accepted('view');
    await page.goto('about:blank');
    await visitor.accepted('vital');
  });

  test('`start` again is the same; after `stop` it begins anew', async () => {
    const page = await openApp();
    const same = await page.evaluate(async (endpoint) => {
      const { sdk } = window;
      const first = sdk.start({ endpoint, late: false });
      const second = sdk.start({ endpoint });
      await sdk.flush();
      sdk.stop();
      sdk.start({ endpoint, late: false });
      history.pushState(null, '', '/next');
      await sdk.flush();
      return first === second;
    }, visitor.recorder.origin);
    expect(same).toBe(true);
    const views = await visitor.accepted('view', 3);
    expect(views.map(({ navigation }) => navigation)).toEqual(['load', 'load', 'push']);
  });
});

describe('on a server', () => {
  test('the import and all calls do nothing', async () => {
    const sdk = await import('../src/index.ts');
    sdk.track('early');
    const handle = sdk.start({ endpoint: 'https://collector.example' });
    handle.track('event');
    handle.view();
    handle.setItem('oak');
    handle.consent('granted');
    handle.use({});
    await handle.flush();
    await sdk.flush();
    handle.stop();
    sdk.stop();
  });

  test('the core can be imported', async () => {
    expect(Object.keys(await import('../src/core.ts'))).toEqual(
      expect.arrayContaining(['start', 'views', 'links', 'errors', 'engagement', 'vitals']),
    );
  });
});

import { describe, expect, test } from 'vitest';
import type { Metronome } from '../src/tracker.ts';
import { late, serve, useVisitor } from './visitor.ts';

declare const metronome: Metronome;

const visitor = useVisitor();

/** As the README shows it. */
const stub = `<script>
  window.metronome = { q: [] };
  for (const name of ['track', 'view', 'setItem', 'consent', 'use', 'stop'])
    metronome[name] = (...args) => metronome.q.push([name, ...args]);
</script>`;

describe('the handle', () => {
  test('track', async () => {
    const page = await visitor.open('/', { attributes: 'data-item="trees" data-session="s1"' });
    await page.evaluate(() =>
      metronome.track('search', { term: 'oak', hits: 3, tags: ['a', 'b'] }),
    );
    const [view] = await visitor.accepted('view');
    expect(await visitor.accepted('search')).toMatchObject([
      { term: 'oak', hits: 3, tags: ['a', 'b'], item: 'trees', session: 's1', page: view?.page },
    ]);
  });

  test('what cannot be recorded does not throw', async () => {
    const page = await visitor.open('/');
    await page.evaluate(() => {
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      metronome.track('circle', circle);
      metronome.track('big', { n: 10n });
      metronome.use({
        broken: () => {
          throw new Error('broken');
        },
      });
      metronome.track('fine');
    });
    await visitor.accepted('fine');
    expect(visitor.recorder.accepted('circle')).toEqual([]);
  });

  test('view and setItem', async () => {
    const page = await visitor.open('/', { attributes: 'data-views="false"' });
    await page.evaluate(async () => {
      metronome.view({ title: 'One', item: 'one' });
      await metronome.flush();
      metronome.setItem('two');
      metronome.track('late');
      await metronome.flush();
      metronome.view();
      metronome.setItem('three');
      await metronome.flush();
    });
    expect(visitor.recorder.accepted('view')).toMatchObject([
      { title: 'One', item: 'one' },
      { title: '/', item: 'three' },
    ]);
    expect(visitor.recorder.accepted('late')).toMatchObject([{ item: 'two' }]);
  });

  test('use adds an instrumentation', async () => {
    const page = await visitor.open('/');
    await page.evaluate(() => {
      metronome.use({
        copies: (emit, { listen, view }) => listen('copy', () => emit('copy', { of: view().url })),
      });
      document.dispatchEvent(new Event('copy'));
    });
    expect(await visitor.accepted('copy')).toMatchObject([{ of: `${visitor.recorder.origin}/` }]);
  });

  test('stop delivers what there is, and nothing after it', async () => {
    const { recorder } = visitor;
    const page = await visitor.open('/', { html: '<a href="/files/a.csv">a</a>' });
    await visitor.accepted('view');
    await page.evaluate(() => {
      metronome.track('last');
      metronome.stop();
      metronome.track('never');
      metronome.view();
      history.pushState(null, '', '/next');
    });
    await visitor.accepted('last');
    await page.click('a');
    await page.evaluate(() => metronome.flush());
    await page.goto('about:blank');
    expect(recorder.accepted('never')).toEqual([]);
    expect(recorder.accepted('download')).toEqual([]);
    expect(recorder.accepted('view')).toHaveLength(1);
  });
});

describe('the script tag', () => {
  test('replays the calls of the stub, with its options', async () => {
    const options = `<script>
      metronome.options = { beforeSend: (event) => event.event !== 'secret' && { ...event, seen: 1 } };
      metronome.track('early', { n: 1 });
      metronome.track('secret');
      metronome.setItem('oak');
    </script>`;
    await visitor.open('/', { head: stub + options });
    expect(await visitor.accepted('early')).toMatchObject([{ n: 1, seen: 1 }]);
    expect(await visitor.accepted('view')).toMatchObject([{ item: 'oak', seen: 1 }]);
    expect(visitor.recorder.accepted('secret')).toEqual([]);
  });

  test('twice on a page counts once', async () => {
    const page = await visitor.open('/', { html: '<script defer src="/metronome.js"></script>' });
    await visitor.accepted('view');
    await page.evaluate(() => metronome.track('last'));
    await page.goto('about:blank');
    await visitor.accepted('last');
    expect(visitor.recorder.accepted('view')).toHaveLength(1);
  });

  test('leaves one global', async () => {
    const { recorder } = visitor;
    serve(recorder, '/with');
    recorder.site['/without'] = '<!doctype html>';
    const page = await visitor.context.newPage();
    const names = async (path: string): Promise<string[]> => {
      await page.goto(recorder.origin + path);
      return page.evaluate(() => Object.getOwnPropertyNames(window));
    };
    const without = new Set(await names('/without'));
    expect((await names('/with')).filter((name) => !without.has(name))).toEqual(['metronome']);
  });

  test('data-endpoint sends elsewhere, with or without a slash at its end', async () => {
    for (const endpoint of ['/collect', '/collect/']) {
      visitor.recorder.reset();
      await visitor.open('/', { attributes: `data-endpoint="${endpoint}"` });
      await visitor.accepted('view');
      expect(visitor.recorder.ticks[0]?.url).toBe('/collect/tick');
    }
  });

  test('data-sample="0" measures nothing, and the handle is there', async () => {
    const page = await visitor.open('/', { attributes: 'data-sample="0"' });
    await page.evaluate(async () => {
      metronome.track('never');
      metronome.consent('granted');
      metronome.view();
      await metronome.flush();
    });
    await page.goto('about:blank');
    expect(visitor.recorder.ticks).toEqual([]);
  });

  test('data-late="false" loads nothing at idle', async () => {
    const page = await visitor.open('/', { attributes: 'data-late="false"' });
    await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
    await visitor.accepted('view');
    expect(visitor.recorder.paths).not.toContain('/metronome-vitals.js');
  });

  test('each instrumentation can be left out', async () => {
    const names =
      'views campaign downloads outbound actions errors engagement vitals resources'.split(' ');
    const page = await visitor.open('/?utm_source=news', {
      attributes: names.map((name) => `data-${name}="false"`).join(' '),
      html: `<a id="file" href="/files/a.csv">file</a>
        <a id="out" href="https://example.org/" target="_blank">out</a>
        <button data-metronome-event="signup" onclick="throw new Error('broken')">Sign up</button>`,
    });
    await visitor.context.route('https://example.org/**', (route) => route.abort());
    await late(page);
    for (const selector of ['#file', '#out', 'button']) await page.click(selector);
    await page.evaluate(async () => {
      const image = new Image();
      document.body.append(image);
      await new Promise((resolve) => {
        image.addEventListener('error', resolve);
        image.src = '/missing.png';
      });
      metronome.track('last');
    });
    await page.goto('about:blank');
    expect(await visitor.accepted('last')).not.toHaveProperty('0.utm_source');
    expect(visitor.recorder.accepted().map(({ event }) => event)).toEqual(['last']);
  });

  test('campaign parameters', async () => {
    const page = await visitor.open('/?utm_source=news&utm_medium=mail&other=1');
    await page.evaluate(() => metronome.track('signup'));
    const campaign = { utm_source: 'news', utm_medium: 'mail' };
    expect(await visitor.accepted('view')).toMatchObject([campaign]);
    expect(await visitor.accepted('signup')).toMatchObject([campaign]);
  });
});

describe('events without code', () => {
  const html = `<div data-metronome-item="oak">
    <button data-metronome-event="signup" data-metronome-plan="pro"><b>Sign up</b></button></div>
    <form onsubmit="return false"><input name="q"><button data-metronome-event="ask">Ask</button></form>`;

  test('a click', async () => {
    const page = await visitor.open('/', { html });
    await page.click('b');
    expect(await visitor.accepted('signup')).toMatchObject([{ item: 'oak', plan: 'pro' }]);
  });

  test('Enter in a form', async () => {
    const page = await visitor.open('/', { html });
    await page.focus('input');
    await page.keyboard.press('Enter');
    await visitor.accepted('ask');
  });
});

test('a link to another host is outbound, a file there a download', async () => {
  const page = await visitor.open('/', {
    html: `<a id="out" href="https://example.org/about?x=1#y" target="_blank">out</a>
      <a id="file" href="https://example.org/trees.kml" target="_blank">file</a>
      <a id="mail" href="mailto:a@example.org">mail</a>
      <a id="in" href="/in" target="_blank">in</a>`,
  });
  await visitor.context.route('https://example.org/**', (route) => route.abort());
  for (const id of ['out', 'file', 'in']) await page.click(`#${id}`);
  expect(await visitor.accepted('outbound')).toMatchObject([
    { target: 'https://example.org/about?x=1' },
  ]);
  expect(await visitor.accepted('download')).toMatchObject([
    { file: 'https://example.org/trees.kml' },
  ]);
  expect(visitor.recorder.accepted('outbound')).toHaveLength(1);
});

test('an outbound link in the same tab', async () => {
  const { recorder } = visitor;
  const target = `${recorder.origin.replace('127.0.0.1', 'localhost')}/elsewhere`;
  recorder.site['/elsewhere'] = '<!doctype html>';
  const page = await visitor.open('/', { html: `<a href="${target}">out</a>` });
  await visitor.accepted('view');
  await page.click('a');
  expect(await visitor.accepted('outbound')).toMatchObject([{ target }]);
});

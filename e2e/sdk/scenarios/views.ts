import type { PageContent, Scenario, Visit } from '../scenario.ts';

const view = (url: string, more: object = {}): Scenario['expected'][number] => ({
  event: 'view',
  url,
  ...more,
});

const run =
  (code: string) =>
  async ({ page }: Visit): Promise<void> => {
    await page.evaluate(`(() => { ${code} })()`);
  };

const push = (url: string): string => `history.pushState(null, '', '${url}')`;
const replace = (url: string): string => `history.replaceState(null, '', '${url}')`;

/** The page that may be rendered before it is opened; it says when its scripts have run. */
const PRERENDERED: Record<string, PageContent> = {
  '/next': { html: `<script type="module">fetch('/next-has-run')</script>` },
};
const PRERENDER_NEXT = `<script type="speculationrules">
  {"prerender":[{"urls":["/next"],"eagerness":"immediate"}]}</script><a href="/next">Next</a>`;
const NO_NAVIGATION_API = `<script>
  Object.defineProperty(window, 'navigation', { value: undefined });
</script>`;
const NO_PRERENDERING = 'does not prerender';

/** What is a page view, and with which address, referrer and item. */
export const views: readonly Scenario[] = [
  {
    name: 'load',
    expected: [view('/', { title: '/', navigation: 'load', referrer: '' })],
  },
  {
    name: 'push',
    steps: run(push('/a')),
    expected: [view('/'), view('/a', { navigation: 'push', referrer: '/' })],
  },
  {
    name: 'push and at once a replace: one view, of the final address',
    steps: run(`${push('/a')}; ${replace('/b')}`),
    expected: [view('/'), view('/b', { navigation: 'push', referrer: '/' })],
  },
  {
    name: 'three pushes at 400 ms',
    steps: async ({ page }) => {
      await page.evaluate(async () => {
        for (const url of ['/a', '/b', '/c']) {
          history.pushState(null, '', url);
          // oxlint-disable-next-line no-await-in-loop -- with time between them
          await new Promise((resolve) => setTimeout(resolve, 400));
        }
      });
    },
    expected: [view('/'), view('/a'), view('/b'), view('/c', { referrer: '/b' })],
  },
  {
    name: 'three pushes in a row',
    steps: run([push('/a'), push('/b'), push('/c')].join(';')),
    expected: [view('/'), view('/a'), view('/b'), view('/c', { referrer: '/b' })],
  },
  {
    name: 'a replace to the same address is none',
    steps: run(replace('/')),
    expected: [view('/')],
  },
  {
    name: 'a push to the same address is none',
    steps: run(push('/')),
    expected: [view('/')],
  },
  {
    name: 'a change of the hash is none',
    html: '<a href="#part">Part</a>',
    steps: hashChanges,
    expected: [view('/')],
  },
  {
    name: 'a change of the hash is one with `hash`',
    html: '<a href="#part">Part</a>',
    options: { hash: true },
    steps: hashChanges,
    expected: [view('/'), view('/#part', { referrer: '/' })],
  },
  {
    name: 'push, then Back',
    steps: async ({ page }) => {
      await page.evaluate(push('/a'));
      await page.goBack();
    },
    expected: [view('/'), view('/a'), view('/', { navigation: 'traverse', referrer: '/a' })],
  },
  {
    name: 'Back to a page in the back/forward cache',
    // Under puppeteer, Firefox does not report the end of the next navigation.
    profile: 'own',
    // Firefox keeps no page that waits for an answer.
    options: { late: false },
    steps: async ({ page, open, arrived, delivered }) => {
      await delivered();
      await open('/a');
      await arrived('view', 2);
      await page.goBack();
    },
    expected: [
      view('/', { navigation: 'load' }),
      view('/a', { navigation: 'load', referrer: '' }),
      view('/', { navigation: 'restore' }),
    ],
  },
  {
    name: 'prerendered and never opened: none',
    html: PRERENDER_NEXT,
    pages: PRERENDERED,
    steps: ({ site }) => site.until('/next-has-run'),
    expected: [view('/')],
    except: {
      firefox: { reason: NO_PRERENDERING, steps: nothing },
      webkit: { reason: NO_PRERENDERING, steps: nothing },
    },
  },
  {
    name: 'prerendered, then opened',
    html: PRERENDER_NEXT,
    pages: PRERENDERED,
    steps: async ({ page, site, arrived }) => {
      await site.until('/next-has-run');
      await page.click('a');
      await arrived('view', 2);
    },
    expected: [view('/'), view('/next', { referrer: '/' })],
    except: {
      firefox: { reason: NO_PRERENDERING, steps: followLink },
      webkit: { reason: NO_PRERENDERING, steps: followLink },
    },
  },
  {
    name: 'a replace to another path',
    steps: async ({ page, arrived }) => {
      await arrived('view');
      await page.evaluate(replace('/a'));
    },
    expected: [view('/'), view('/a', { navigation: 'replace', referrer: '/' })],
  },
  {
    name: 'a replace to another path is none without `replace`',
    options: { replace: false },
    steps: async ({ page, arrived }) => {
      await arrived('view');
      await page.evaluate(replace('/a'));
    },
    expected: [view('/')],
  },
  {
    name: 'a replace of the query is none',
    steps: async ({ page, arrived }) => {
      await arrived('view');
      await page.evaluate(replace('/?sort=name'));
    },
    expected: [view('/')],
  },
  {
    name: 'a push that changes only the query',
    steps: run(push('/?page=2')),
    expected: [view('/'), view('/?page=2', { referrer: '/' })],
  },
  {
    name: 'a push that changes only the query is none without `query`',
    options: { query: false },
    steps: run(push('/?page=2')),
    expected: [view('/')],
  },
  {
    name: 'a tab in the background is none until it is looked at',
    open: false,
    profile: 'own',
    steps: async ({ page, open, delivered, collector }) => {
      await page.hide();
      await open('/');
      await delivered();
      if (collector.counted().some(({ event }) => event === 'view')) {
        throw new Error('Counted before it was looked at');
      }
      await page.show();
    },
    expected: [view('/')],
  },
  {
    name: 'a tab in the background is one at once with `background`',
    open: false,
    profile: 'own',
    options: { background: true },
    steps: async ({ page, open, arrived }) => {
      await page.hide();
      await open('/');
      await arrived('view');
      await page.show();
    },
    expected: [view('/')],
  },
  {
    name: 'push, replace and Back where there is no Navigation API',
    head: NO_NAVIGATION_API,
    steps: async ({ page, arrived }) => {
      await page.evaluate(push('/a'));
      await arrived('view', 2);
      await page.evaluate(replace('/b'));
      await arrived('view', 3);
      await page.evaluate(push('/c'));
      await arrived('view', 4);
      await page.goBack();
    },
    expected: [
      view('/', { navigation: 'load' }),
      view('/a', { navigation: 'push', referrer: '/' }),
      view('/b', { navigation: 'replace', referrer: '/a' }),
      view('/c', { navigation: 'push', referrer: '/b' }),
      view('/b', { navigation: 'traverse', referrer: '/c' }),
    ],
  },
  {
    name: 'push where the page has another `navigation` of its own',
    head: `<script>const navigation = 'menu'</script>`,
    steps: run(push('/a')),
    expected: [view('/'), view('/a', { navigation: 'push', referrer: '/' })],
  },
  {
    name: 'push where `navigation` is the id of an element',
    head: '<script>delete window.navigation</script>',
    html: '<nav id="navigation"></nav>',
    steps: run(push('/a')),
    expected: [view('/'), view('/a', { navigation: 'push', referrer: '/' })],
  },
  {
    name: 'a link that a router on the Navigation API takes over',
    html: `<a href="/a">A</a><script>
      window.navigation?.addEventListener('navigate', (event) => event.intercept());
    </script>`,
    steps: followLink,
    expected: [view('/'), view('/a', { navigation: 'push', referrer: '/' })],
    except: {
      webkit: {
        reason: 'has no Navigation API: the link is followed',
        expected: [view('/'), view('/a', { navigation: 'load', referrer: '/' })],
      },
    },
  },
  {
    name: '`data-item` holds until the address changes',
    options: { item: 'trees' },
    steps: run(`${push('/a')}; ${push('/')}`),
    expected: [
      view('/', { item: 'trees' }),
      view('/a', { item: undefined }),
      view('/', { item: undefined }),
    ],
  },
  {
    name: '`setItem` right after a push is the item of that view',
    steps: run(`${push('/a')}; metronome.setItem('parks')`),
    expected: [view('/', { item: undefined }), view('/a', { item: 'parks' })],
  },
  {
    name: 'the title of a view is the one that the application sets after its push',
    steps: run(`${push('/a')}; document.title = 'Parks'`),
    expected: [view('/', { title: '/' }), view('/a', { title: 'Parks' })],
  },
  {
    name: 'only the first view of a document carries the external referrer',
    pages: {
      '/from': { bare: true, html: '<a href="/entry">Enter</a>' },
      '/entry': {},
    },
    open: false,
    steps: async ({ page, open, arrived }) => {
      await open('/from');
      await page.click('a');
      await arrived('view');
      await page.evaluate(push('/entry/2'));
      await arrived('view', 2);
    },
    expected: [view('/entry', { referrer: '/from' }), view('/entry/2', { referrer: '/entry' })],
  },
  {
    name: '`view()` is one by itself, where `views` is off',
    options: { views: false },
    steps: run(`${push('/a')}; metronome.view({ step: 2 })`),
    expected: [view('/a', { step: 2 })],
  },
];

async function nothing(): Promise<void> {}

async function followLink({ page, arrived }: Visit): Promise<void> {
  await arrived('view');
  await page.click('a');
  await arrived('view', 2);
}

async function hashChanges({ page }: Visit): Promise<void> {
  await page.evaluate(async () => {
    const changed = new Promise((resolve) => addEventListener('hashchange', resolve));
    document.querySelector('a')?.click();
    await changed;
  });
}

import { expect } from 'vitest';
import { pollPage } from '../../parts/browser.ts';

import { range, type Scenario, type Visit } from '../scenario.ts';

/** Throws in a script of the page: what a driver runs there hides its errors. */
const BREAK = `<script>
  const breakWith = (message) => setTimeout(() => { throw new TypeError('on purpose ' + message); });
</script>`;
const breaking =
  (...messages: unknown[]) =>
  async ({ page }: Visit): Promise<void> => {
    await page.evaluate(`${JSON.stringify(messages)}.forEach(breakWith)`);
  };

const ON_PURPOSE = /on purpose|script error|failed to load|blocked/i;

const failingImage = async ({ page, late }: Visit): Promise<void> => {
  await late();
  await page.evaluate(async () => {
    const image = new Image();
    const failed = new Promise((resolve) => image.addEventListener('error', resolve));
    image.src = '/files/missing.png';
    document.body.append(image);
    await failed;
  });
};

const NO_PRERENDERING = 'does not prerender';

async function followLink({ page, arrived }: Visit): Promise<void> {
  await page.click('a');
  await arrived('view', 2);
}

async function failingImageOnNext(visit: Visit): Promise<void> {
  await visit.arrived('view');
  await followLink(visit);
  await failingImage(visit);
}

/** Runs after the script tag, and before the page is idle. */
const withImage = (src: string): string => `<script type="module">
  document.body.append(Object.assign(new Image(), { src: '${src}' }));
</script>`;

/** Errors, of scripts and of what a page loads. */
export const errors: readonly Scenario[] = [
  {
    name: 'an uncaught error',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: `<button onclick="throw new TypeError('on purpose')">Break</button>`,
    steps: ({ page }) => page.click('button'),
    expected: [
      {
        event: 'error',
        message: expect.stringMatching(/TypeError: on purpose$/),
        source: '/',
        line: expect.any(Number),
        column: expect.any(Number),
        stack: expect.stringContaining('onclick'),
        count: 1,
        noise: undefined,
        url: '/',
      },
    ],
  },
  {
    name: 'an unhandled rejection',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: `<button onclick="Promise.reject(new TypeError('on purpose'))">Break</button>`,
    steps: ({ page }) => page.click('button'),
    expected: [{ event: 'error', message: expect.stringContaining('on purpose'), count: 1 }],
  },
  {
    name: 'an error that repeats is one event with its count',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: BREAK,
    steps: breaking(...range(1, 50).map(() => 'again')),
    expected: [{ event: 'error', count: 50 }],
  },
  {
    name: 'a page in a bad loop says no more than 20 different things',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: BREAK,
    steps: breaking(...range(1, 40)),
    expected: range(1, 20).map((n) => ({
      event: 'error',
      message: expect.stringMatching(new RegExp(`on purpose ${n}$`)),
    })),
  },
  {
    name: 'an error that a script of another origin hides is marked',
    watch: ['error'],
    throws: ON_PURPOSE,
    pages: {
      '/broken.js': {
        // No script at all: what one throws, Firefox 153 does not hide.
        text: 'broken on purpose',
        headers: { 'Content-Type': 'text/javascript' },
      },
    },
    html: `<button onclick="
      const script = document.createElement('script');
      script.src = location.origin.replace('127.0.0.1', 'localhost') + '/broken.js';
      document.head.append(script);
    ">Load</button>`,
    steps: ({ page }) => page.click('button'),
    expected: [
      {
        event: 'error',
        message: expect.stringMatching(/^script error/i),
        noise: expect.stringMatching(/^script error/i),
      },
    ],
  },
  {
    name: "an error of a browser's extension is marked",
    watch: ['error'],
    throws: ON_PURPOSE,
    steps: async ({ page }) => {
      await page.evaluate(() => {
        const filename = 'chrome-extension://abcdef/content.js';
        const error = new TypeError('on purpose');
        dispatchEvent(new ErrorEvent('error', { message: error.message, filename, error }));
      });
    },
    expected: [{ event: 'error', noise: 'extension://' }],
  },
  {
    name: 'an error that only speaks of an extension is not',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: BREAK,
    steps: breaking('file extension: .csv'),
    expected: [{ event: 'error', noise: undefined }],
  },
  {
    name: 'errors of one line and two columns, as minified code has them, are two',
    watch: ['error'],
    throws: ON_PURPOSE,
    steps: async ({ page }) => {
      await page.evaluate(() => {
        for (const colno of [1, 2, 1]) {
          const error = { message: 'on purpose', filename: '/app.js', lineno: 1, colno };
          dispatchEvent(new ErrorEvent('error', error));
        }
      });
    },
    unordered: true,
    expected: [
      { event: 'error', column: 1, count: 2 },
      { event: 'error', column: 2, count: 1 },
    ],
  },
  {
    name: 'an image that fails to load',
    watch: ['error'],
    throws: ON_PURPOSE,
    steps: failingImage,
    expected: [{ event: 'error', kind: 'resource', source: '/files/missing.png' }],
  },
  {
    name: 'an image that fails before the page is idle',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: withImage('/files/missing.png'),
    expected: [
      {
        event: 'error',
        kind: 'resource',
        message: 'IMG failed',
        source: '/files/missing.png',
        count: 1,
      },
    ],
  },
  {
    name: 'an image that fails on a page that was prerendered until it was idle',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: `<script type="speculationrules">
      {"prerender":[{"urls":["/next"],"eagerness":"immediate"}]}</script><a href="/next">Next</a>`,
    pages: {
      '/next': {
        html: `<script type="module">
          const look = async () => {
            try {
              await conformance.late();
              fetch('/idle');
            } catch {
              setTimeout(look, 50);
            }
          };
          look();
        </script>`,
      },
    },
    steps: async (visit) => {
      await visit.site.until('/idle');
      await followLink(visit);
      await failingImage(visit);
    },
    expected: [{ event: 'error', kind: 'resource', source: '/files/missing.png', url: '/next' }],
    except: {
      firefox: { reason: NO_PRERENDERING, steps: failingImageOnNext },
      webkit: { reason: NO_PRERENDERING, steps: failingImageOnNext },
    },
  },
  {
    name: 'an image in an SVG that fails to load',
    watch: ['error'],
    throws: ON_PURPOSE,
    steps: async ({ page, late }) => {
      await late();
      await page.evaluate(() => {
        document.body.innerHTML = '<svg><image href="/files/missing.png" /></svg>';
      });
    },
    expected: [{ event: 'error', message: 'image failed', source: '/files/missing.png' }],
  },
  {
    name: 'an uncaught error is none of a resource, whatever globals the page has',
    watch: ['error'],
    throws: ON_PURPOSE,
    html: `<script>var src = 'menu.js'</script>${BREAK}`,
    steps: async (visit) => {
      await visit.late();
      await breaking('again')(visit);
    },
    expected: [{ event: 'error', kind: undefined }],
  },
  {
    name: 'none of what fails to load with `resources` off',
    watch: ['error'],
    throws: ON_PURPOSE,
    options: { resources: false },
    html: withImage('/files/missing.png'),
    steps: failingImage,
    expected: [],
  },
  {
    name: 'a violation of the Content Security Policy',
    watch: ['error'],
    throws: ON_PURPOSE,
    headers: { 'Content-Security-Policy': 'img-src data:' },
    steps: async ({ page, late }) => {
      await late();
      await page.evaluate(async () => {
        const violated = new Promise((resolve) => {
          addEventListener('securitypolicyviolation', resolve);
        });
        new Image().src = '/files/forbidden.png';
        await violated;
      });
    },
    expected: [{ event: 'error', kind: 'csp', message: 'img-src', source: '/files/forbidden.png' }],
  },
  {
    name: 'a violation of the Content Security Policy before the page is idle',
    watch: ['error'],
    throws: ON_PURPOSE,
    headers: { 'Content-Security-Policy': 'img-src data:' },
    html: `<script type="module">new Image().src = '/files/forbidden.png'</script>`,
    steps: ({ late }) => late(),
    expected: [{ event: 'error', kind: 'csp', message: 'img-src', source: '/files/forbidden.png' }],
  },
  {
    name: 'none with `errors` off',
    watch: ['error'],
    options: { errors: false },
    throws: ON_PURPOSE,
    html: BREAK + withImage('/files/missing.png'),
    steps: async (visit) => {
      await breaking(1)(visit);
      await failingImage(visit);
    },
    expected: [],
  },
];

const vital = (name: string): Scenario['expected'][number] => ({
  event: 'vital',
  name,
  value: expect.any(Number),
  rating: expect.stringMatching(/^(good|needs-improvement|poor)$/),
  navigation: 'navigate',
  url: '/',
});

/** A clock that stands still until the steps say otherwise: a test measures no time of its own. */
const CLOCK = `<script>
  let now = 1;
  performance.now = () => now;
  const pass = (ms) => { now += ms; };
</script>`;

const TALL = '<style>body { margin: 0 } main { height: 1000vh }</style><main></main>';

const pass = (ms: number, type?: string): string =>
  `(pass(${ms}), ${type ? `dispatchEvent(new Event('${type}'))` : 0}, 0)`;

/** What a page measures of itself. */
export const measures: readonly Scenario[] = [
  {
    name: 'web vitals, when the page is left',
    watch: ['vital'],
    unordered: true,
    html: '<h1>Text</h1><button>Press</button><script>document.body.offsetHeight</script>',
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await page.click('button');
      // WebKit tells of a paint long after the frame.
      await pollPage(
        page.evaluate,
        `performance.getEntriesByName('first-contentful-paint').length > 0`,
      );
      await nextFrames({ page });
      await beatAndLeave([]);
    },
    expected: ['CLS', 'FCP', 'INP', 'LCP', 'TTFB'].map(vital),
    except: {
      firefox: {
        reason: 'has no layout-shift entries: no CLS',
        expected: ['FCP', 'INP', 'LCP', 'TTFB'].map(vital),
      },
      webkit: {
        reason:
          'has neither layout-shift, event nor largest-contentful-paint entries: FCP and TTFB only',
        expected: ['FCP', 'TTFB'].map(vital),
      },
    },
  },
  {
    name: 'none of what can wait with `late` off',
    watch: ['vital', 'engagement'],
    options: { late: false },
    steps: ({ beatAndLeave }) => beatAndLeave([]),
    expected: [],
  },
  {
    name: 'no web vitals with `vitals` off, no engaged time with `engagement` off',
    watch: ['vital', 'engagement'],
    head: CLOCK,
    options: { vitals: false, engagement: false },
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await page.evaluate(pass(4_000, 'pointermove'));
      await beatAndLeave([]);
    },
    expected: [],
  },
  {
    name: 'engaged time: the time between signs of life',
    watch: ['engagement'],
    head: CLOCK,
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await page.evaluate(pass(4_000, 'pointermove'));
      await page.evaluate(pass(3_000, 'keydown'));
      await page.evaluate(pass(1_000));
      await beatAndLeave([]);
    },
    expected: [{ event: 'engagement', duration: 8_000, url: '/' }],
  },
  {
    name: 'engaged time: an hour without a sign of life is half a minute',
    watch: ['engagement'],
    head: CLOCK,
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await page.evaluate(pass(3_600_000, 'pointermove'));
      await page.evaluate(pass(1_000));
      await beatAndLeave([]);
    },
    expected: [{ event: 'engagement', duration: 31_000 }],
  },
  {
    name: 'engaged time: none while hidden',
    profile: 'own',
    watch: ['engagement'],
    head: CLOCK,
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await page.evaluate(pass(2_000));
      await page.hide();
      await page.evaluate(pass(20_000));
      await page.show();
      await page.evaluate(pass(3_000));
      await beatAndLeave([]);
    },
    expected: [
      { event: 'engagement', duration: 2_000 },
      { event: 'engagement', duration: 3_000 },
    ],
  },
  {
    name: 'engaged time belongs to the view in which it was spent',
    watch: ['engagement'],
    head: CLOCK,
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await page.evaluate(pass(2_000));
      await page.evaluate(`history.pushState(null, '', '/a')`);
      await page.evaluate(pass(5_000));
      await beatAndLeave([]);
    },
    expected: [
      { event: 'engagement', duration: 2_000, url: '/' },
      { event: 'engagement', duration: 5_000, url: '/a' },
    ],
  },
  {
    name: 'scroll depth: what was seen of a page that nobody scrolled',
    watch: ['engagement'],
    head: CLOCK,
    html: TALL,
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await page.evaluate(pass(1_000));
      await beatAndLeave([]);
    },
    expected: [{ event: 'engagement', scroll: 10 }],
  },
  {
    name: 'scroll depth: the deepest point, not the last',
    watch: ['engagement'],
    head: CLOCK,
    html: TALL,
    steps: async ({ page, late, beatAndLeave }) => {
      await late();
      await scrollTo(page, 4);
      await scrollTo(page, 1);
      await page.evaluate(pass(1_000));
      await beatAndLeave([]);
    },
    expected: [{ event: 'engagement', scroll: 50 }],
  },
];

async function nextFrames({ page }: Pick<Visit, 'page'>): Promise<void> {
  await page.evaluate(async () => {
    // An interaction is reported with the frame after the one in which it is shown.
    for (let frame = 0; frame < 3; frame++) {
      // oxlint-disable-next-line no-await-in-loop -- frame after frame
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
}

async function scrollTo(page: Visit['page'], screens: number): Promise<void> {
  await page.evaluate(async (count: number) => {
    const scrolled = new Promise((resolve) => {
      addEventListener('scroll', resolve, { once: true });
    });
    window.scrollTo(0, count * innerHeight);
    await scrolled;
  }, screens);
}

/** Clicks that lead elsewhere, clicks that mean something, and where a visitor came from. */
export const actions: readonly Scenario[] = [
  {
    name: 'a link to another host',
    watch: ['outbound', 'download'],
    steps: async ({ page, site }) => {
      await page.evaluate((href: string) => {
        document.body.innerHTML = `<a href="${href}">Elsewhere</a>`;
      }, `${site.otherOrigin}/files/elsewhere?a=1`);
      await page.click('a');
    },
    expected: [{ event: 'outbound', target: 'other:/files/elsewhere?a=1', url: '/' }],
  },
  {
    name: 'a link to the own host is not outbound',
    watch: ['outbound', 'download'],
    html: '<a href="/files/">Here</a>',
    steps: ({ page }) => page.click('a'),
    expected: [],
  },
  {
    name: 'a link that leads nowhere is not outbound',
    watch: ['outbound', 'download'],
    html: '<a href="javascript:void 0">Open</a>',
    steps: ({ page }) => page.click('a'),
    expected: [],
  },
  {
    name: 'none with `outbound` off',
    watch: ['outbound', 'download'],
    options: { outbound: false },
    steps: async ({ page, site }) => {
      await page.evaluate((href: string) => {
        document.body.innerHTML = `<a href="${href}">Elsewhere</a>`;
      }, `${site.otherOrigin}/files/elsewhere`);
      await page.click('a');
    },
    expected: [],
  },
  {
    name: '`data-metronome-event`',
    html: '<button data-metronome-event="signup" data-metronome-item="newsletter"><b>Go</b></button>',
    steps: ({ page }) => page.click('b'),
    expected: [{ event: 'view' }, { event: 'signup', item: 'newsletter', url: '/' }],
  },
  {
    name: '`data-metronome-event` on a submit button sees the Enter key',
    html: `<form onsubmit="return false"><input><button data-metronome-event="search">Go</button></form>`,
    steps: async ({ page }) => {
      await page.evaluate(() => document.querySelector('input')?.focus());
      await page.press('Enter');
    },
    expected: [{ event: 'view' }, { event: 'search' }],
  },
  {
    name: 'none with `actions` off',
    options: { actions: false },
    html: '<button data-metronome-event="signup">Go</button>',
    steps: ({ page }) => page.click('button'),
    expected: [{ event: 'view' }],
  },
  {
    name: 'no campaign parameters with `campaign` off',
    open: false,
    options: { campaign: false },
    steps: ({ open }) => open('/?utm_source=news'),
    expected: [{ event: 'view', utm_source: undefined, url: '/?utm_source=news' }],
  },
  {
    name: 'an instrumentation of the application',
    watch: ['copy'],
    steps: async ({ page }) => {
      await page.evaluate(`(() => {
        metronome.use({ copies: (emit, { listen, view }) =>
          listen('copy', () => emit('copy', { of: view().item })) });
        metronome.setItem('trees');
        dispatchEvent(new Event('copy'));
      })()`);
    },
    expected: [{ event: 'copy', of: 'trees', item: 'trees' }],
  },
  {
    name: 'campaign parameters, on the view that the visitor came with',
    open: false,
    steps: async ({ open, page, arrived }) => {
      await open('/?utm_source=news&utm_medium=mail&other=1');
      await arrived('view');
      await page.evaluate(`history.pushState(null, '', '/a')`);
    },
    expected: [
      { event: 'view', utm_source: 'news', utm_medium: 'mail', other: undefined },
      { event: 'view', utm_source: undefined, utm_medium: undefined },
    ],
  },
  {
    name: 'properties of an event come as they are',
    watch: ['signup'],
    steps: async ({ page }) => {
      await page.evaluate(`metronome.track('signup', { plan: 'pro', seats: 3, trial: true })`);
    },
    expected: [{ event: 'signup', plan: 'pro', seats: 3, trial: true }],
  },
];

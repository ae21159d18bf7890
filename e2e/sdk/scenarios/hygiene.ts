import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from 'vitest';

import { SCRIPTS_FOLDER } from '../recording-collector.ts';
import { beats, type Scenario, type Visit } from '../scenario.ts';

const STRICT_POLICY = [
  "default-src 'none'",
  "script-src 'nonce-beat'",
  'connect-src COLLECTOR',
  'img-src data:',
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const integrityOf = async (name: string): Promise<string> => {
  const hash = createHash('sha384').update(await readFile(new URL(name, SCRIPTS_FOLDER)));
  return `sha384-${hash.digest('base64')}`;
};
const INTEGRITY = await integrityOf('metronome.js');
/** Of what the script imports: https://developer.mozilla.org/docs/Web/HTML/Reference/Elements/script/type/importmap */
const importMap = (integrity: string): string =>
  `<script type="importmap">{"integrity":{"COLLECTOR/metronome-vitals.js":"${integrity}"}}</script>`;

/** A page that is a bad host for a script, and a script that is a good guest. */
export const hygiene: readonly Scenario[] = [
  {
    name: 'a strict Content Security Policy: nonce, no eval, nothing inline, Trusted Types',
    headers: { 'Content-Security-Policy': STRICT_POLICY },
    attributes: 'nonce="beat"',
    steps: async ({ late, beat }) => {
      await late();
      await beat([1]);
    },
    expected: [{ event: 'view' }, ...beats([1])],
  },
  {
    name: 'subresource integrity',
    attributes: `crossorigin="anonymous" integrity="${INTEGRITY}"`,
    expected: [{ event: 'view' }],
  },
  {
    name: 'integrity of what loads when the page is idle, by an import map',
    watch: ['view', 'engagement'],
    head: importMap(await integrityOf('metronome-vitals.js')),
    steps: async ({ late, page, beatAndLeave }) => {
      await late();
      await somewhatEngaged(page);
      await beatAndLeave([]);
    },
    expected: [{ event: 'view' }, { event: 'engagement' }],
  },
  {
    name: 'where its integrity is another, what loads when the page is idle is left out',
    watch: ['view', 'engagement'],
    head: importMap(INTEGRITY),
    steps: async ({ late, page, beatAndLeave }) => {
      // Refused.
      await late().catch(() => {});
      await somewhatEngaged(page);
      await beatAndLeave([]);
    },
    expected: [{ event: 'view' }],
  },
  {
    name: '`data-endpoint` and `data-app`',
    options: { endpoint: 'COLLECTOR/', app: 'portal' },
    expected: [{ event: 'view', app: 'portal' }],
  },
  {
    name: 'a sandboxed iframe, which has no storage and no origin',
    open: false,
    pages: {
      '/outer': { bare: true, html: '<iframe sandbox="allow-scripts" src="/inner"></iframe>' },
      '/inner': { html: '<script type="module">conformance.beat(1)</script>' },
    },
    steps: async ({ open, arrived }) => {
      await open('/outer');
      await arrived('view');
      await open('/bare');
    },
    expected: [{ event: 'view', url: '/inner' }, ...beats([1])],
  },
  {
    name: 'a page in a file',
    open: false,
    watch: ['view', 'beat'],
    steps: inFile(({ beat }) => beat([1])),
    expected: [
      { event: 'view', title: '/', url: expect.stringMatching(/^file:.*index\.html$/) },
      ...beats([1]),
    ],
  },
  {
    name: 'calls before the load, by a stub',
    head: `<script>metronome = { q: [
      ['setItem', 'trees'], ['track', 'beat', { n: 1 }],
    ] }</script>`,
    expected: [
      { event: 'view', item: 'trees' },
      { event: 'beat', n: 1, item: 'trees' },
    ],
  },
  {
    name: 'a second script tag counts nothing twice',
    steps: async ({ page, collector }) => {
      await page.evaluate(async (src: string) => {
        const script = document.createElement('script');
        script.src = src;
        const loaded = new Promise((resolve) => script.addEventListener('load', resolve));
        document.head.append(script);
        await loaded;
      }, `${collector.origin}/metronome.js`);
    },
    expected: [{ event: 'view' }],
  },
  {
    name: 'one global only',
    steps: async ({ page, late }) => {
      await late();
      const added = await page.evaluate(
        `Object.getOwnPropertyNames(window).filter((name) => !conformance.names.includes(name)).join()`,
      );
      if (added !== 'metronome') throw new Error(`Globals: ${String(added)}`);
    },
    expected: [{ event: 'view' }],
  },
  {
    name: 'history works as without it: state, length, errors, results',
    // The history of a tab that has seen 50 pages grows no longer.
    profile: 'own',
    steps: async ({ page }) => {
      const seen = await page.evaluate(() => {
        const { length } = history;
        const results = [
          history.pushState({ a: 1 }, '', '/a'),
          history.state.a,
          history.length - length,
        ];
        results.push(
          history.replaceState({ a: 2 }, '', '/b'),
          history.state.a,
          history.length - length,
        );
        try {
          history.pushState(null, '', 'https://elsewhere.example/');
        } catch (error) {
          results.push((error as Error).name);
        }
        return JSON.stringify(results);
      });
      const expected = JSON.stringify([undefined, 1, 1, undefined, 2, 1, 'SecurityError']);
      if (seen !== expected) throw new Error(`History: ${seen}`);
    },
    expected: [
      { event: 'view', url: '/' },
      { event: 'view', url: '/b' },
    ],
  },
  {
    name: 'calls with nonsense throw nothing into the page',
    watch: ['beat'],
    steps: async ({ page, beat }) => {
      await page.evaluate(NONSENSE);
      await beat([1]);
    },
    expected: beats([1]),
  },
  {
    name: 'a page without fetch, beacons, storage and observers',
    head: `<script>
      for (const name of ['fetch', 'fetchLater', 'localStorage', 'requestIdleCallback', 'PerformanceObserver', 'navigation']) {
        Object.defineProperty(window, name, { value: undefined });
      }
      Object.defineProperty(navigator, 'sendBeacon', { value: undefined });
    </script>`,
    steps: async ({ page, beat, delivered, beatAndLeave }) => {
      await page.evaluate(`history.pushState(null, '', '/a')`);
      await beat([1]);
      await delivered();
      await beatAndLeave([2]);
    },
    expected: [],
  },
  {
    name: 'attributes that were left empty are none, but for those that are a switch',
    options: { endpoint: '', app: '', item: '', visitor: '', consent: '', sample: '', hash: '' },
    steps: async ({ page }) => {
      await page.evaluate(`history.pushState(null, '', '/#part')`);
    },
    expected: [
      { event: 'view', url: '/', app: undefined, item: undefined, visitor: undefined },
      { event: 'view', url: '/#part' },
    ],
  },
  {
    name: 'events without a name are none, and cost no others',
    steps: async ({ page, beat }) => {
      await page.evaluate(`(metronome.track(), metronome.track(''), 0)`);
      await beat([1]);
    },
    expected: [{ event: 'view' }, ...beats([1])],
  },
  {
    name: 'the start costs no Intl and no layout',
    head: `<script>{
      const forbid = (object, name) => {
        const { get, value, ...rest } = Object.getOwnPropertyDescriptor(object, name);
        Object.defineProperty(object, name, { ...rest, get() {
          if (document.readyState !== 'complete' && !document.prerendering) {
            setTimeout(() => conformance.thrown.push('used ' + name));
          }
          return get ? get.call(this) : value;
        } });
      };
      forbid(Intl, 'DateTimeFormat');
      for (const name of ['offsetHeight', 'offsetWidth']) forbid(HTMLElement.prototype, name);
      for (const name of ['scrollHeight', 'scrollTop', 'clientHeight', 'getBoundingClientRect']) {
        forbid(Element.prototype, name);
      }
      for (const name of ['scrollY', 'innerHeight', 'getComputedStyle']) forbid(window, name);
    }</script>`,
    expected: [{ event: 'view' }],
  },
  {
    name: '`stop()` sends what is queued, and ends',
    watch: ['view', 'beat'],
    steps: async ({ page, beat, arrived }) => {
      await beat([1]);
      await page.evaluate(`metronome.stop()`);
      await arrived('beat');
      await page.evaluate(`history.pushState(null, '', '/a')`);
      await beat([2]);
    },
    expected: [{ event: 'view' }, ...beats([1])],
  },
];

/** For long enough to be told. */
async function somewhatEngaged({ evaluate }: Visit['page']): Promise<void> {
  await evaluate(`new Promise((resolve) => setTimeout(resolve, 200))`);
}

const NONSENSE = `(() => {
  const circular = {}; circular.self = circular;
  for (const value of [undefined, null, 0, NaN, '', 'x', Symbol('x'), 10n, [], circular, () => {},
    { get n() { throw new Error('broken'); } }, { toJSON() { throw new Error('broken'); } },
    'x'.repeat(1e6), '\\ud800', { ['__proto__']: null }, document, window]) {
    for (const call of ['track', 'view', 'setItem', 'consent']) {
      if (call === 'consent' && typeof value === 'string') continue;
      metronome[call](value);
      if (call === 'track') metronome.track('nonsense', value);
    }
    metronome.setItem(undefined);
  }
  metronome.consent('granted');
  return 0;
})()`;

/** The steps in a page that was opened from a file. */
function inFile(steps: NonNullable<Scenario['steps']>): NonNullable<Scenario['steps']> {
  return async (visit: Visit) => {
    const folder = await mkdtemp(join(tmpdir(), 'metronome-page-'));
    try {
      const file = join(folder, 'index.html');
      await writeFile(file, visit.site.document('/'));
      await visit.page.goto(pathToFileURL(file).href);
      await steps(visit);
      await visit.arrived('beat');
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}

import type { Scenario, Visit } from '../scenario.ts';

const download = (file: string, more: object = {}): Scenario['expected'][number] => ({
  event: 'download',
  file,
  ...more,
});

/** A click on the link that the page's html holds. */
const click =
  (options?: Parameters<Visit['page']['click']>[1]) =>
  ({ page }: Visit): Promise<void> =>
    page.click('#link', options);

/** A click that is made by the page's script, with this button. */
const scriptedClick =
  (type: 'auxclick' | 'contextmenu', button: number) =>
  async ({ page }: Visit): Promise<void> => {
    await page.evaluate(
      ([name, number]: [string, number]) =>
        document
          .querySelector('#link')
          ?.dispatchEvent(new MouseEvent(name, { button: number, bubbles: true, composed: true })),
      [type, button],
    );
  };

const NO_OTHER_BUTTONS =
  'has one mouse button under its driver: a click by script stands for the others';

const link = (href: string, attributes = ''): string =>
  `<a id="link" href="${href}" ${attributes}>Data</a>`;

/** A case in which nothing but the link differs. */
const plain = (
  name: string,
  html: string,
  expected: Scenario['expected'],
  options?: Scenario['options'],
): Scenario => ({
  name,
  html,
  steps: click(),
  watch: ['download'],
  expected,
  ...(options && { options }),
});

/** Which clicks are downloads, of which file. */
export const downloads: readonly Scenario[] = [
  plain('a link to a file', link('/files/trees.csv'), [
    download('/files/trees.csv', { url: '/', item: undefined, page_item: undefined }),
  ]),
  plain('upper-case extension', link('/files/TREES.PDF'), [download('/files/TREES.PDF')]),
  plain('?query', link('/files/trees.csv?v=2'), [download('/files/trees.csv?v=2')]),
  plain('#fragment', link('/files/trees.pdf#page=2'), [download('/files/trees.pdf')]),
  plain('`download` attribute without an extension', link('/files/export', 'download'), [
    download('/files/export'),
  ]),
  plain('`download` attribute with a name', link('/files/export', 'download="trees.kml"'), [
    download('/files/export', { format: 'kml' }),
  ]),
  plain(
    'a click on a child of the link',
    '<a href="/files/trees.csv"><b><i id="link">Data</i></b></a>',
    [download('/files/trees.csv')],
  ),
  {
    ...plain('middle click', link('/files/trees.csv'), [download('/files/trees.csv')]),
    profile: 'own',
    steps: click({ button: 'middle' }),
    except: { webkit: { reason: NO_OTHER_BUTTONS, steps: scriptedClick('auxclick', 1) } },
  },
  {
    ...plain('Ctrl click', link('/files/trees.csv'), [download('/files/trees.csv')]),
    profile: 'own',
    steps: click({ modifiers: ['Control'] }),
  },
  {
    ...plain('in a shadow tree', '<div id="host"></div>', [download('/files/trees.csv')]),
    steps: async ({ page }) => {
      await page.evaluate(() => {
        const root = document.querySelector('#host')?.attachShadow({ mode: 'open' });
        if (!root) return;
        root.innerHTML = '<a href="/files/trees.csv">Data</a>';
        root.querySelector('a')?.click();
      });
    },
  },
  {
    ...plain('a link that was added later', '', [download('/files/trees.csv')]),
    steps: async ({ page }) => {
      await page.evaluate((html: string) => {
        document.body.innerHTML = html;
      }, link('/files/trees.csv'));
      await page.click('#link');
    },
  },
  plain(
    'a handler that stops propagation',
    link('/files/trees.csv', 'onclick="event.stopImmediatePropagation()"'),
    [download('/files/trees.csv')],
  ),
  {
    ...plain('a right click is none', link('/files/trees.csv'), []),
    steps: click({ button: 'right' }),
    except: {
      webkit: {
        reason: NO_OTHER_BUTTONS,
        steps: async (visit) => {
          await scriptedClick('contextmenu', 2)(visit);
          await scriptedClick('auxclick', 2)(visit);
        },
      },
    },
  },
  {
    ...plain('Enter key', link('/files/trees.csv'), [download('/files/trees.csv')]),
    steps: async ({ page }) => {
      await page.evaluate(() => document.querySelector<HTMLAnchorElement>('#link')?.focus());
      await page.press('Enter');
      // The key's click is a task after it.
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    },
  },
  {
    ...plain(
      '<area> of an image map',
      `<img usemap="#map" width="100" height="100" alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
       <map name="map"><area id="area" shape="default" href="/files/trees.csv" alt="Data"></map>`,
      [download('/files/trees.csv')],
    ),
    steps: ({ page }) => page.click('img'),
  },
  {
    ...plain(
      'a link in SVG',
      '<svg width="100" height="100"><a href="/files/trees.csv"><rect id="link" width="100" height="100"/></a></svg>',
      [download('/files/trees.csv')],
    ),
  },
  plain('a page is none', link('/files/trees.html', 'target="_self"'), []),
  plain(
    'a click that the page prevents is none',
    link('/files/trees.csv', 'onclick="return false"'),
    [],
  ),
  plain(
    'a click that the page prevents late is none',
    `${link('/files/trees.csv')}<script>addEventListener('click', (event) => event.preventDefault())</script>`,
    [],
  ),
  plain('tar.gz', link('/files/trees.tar.gz'), [download('/files/trees.tar.gz')]),
  plain('epub', link('/files/trees.epub'), [download('/files/trees.epub')]),
  plain(
    '`data-metronome-item` of the link',
    link('/files/trees.csv', 'data-metronome-item="trees"'),
    [download('/files/trees.csv', { item: 'trees', page_item: 'catalogue' })],
    { item: 'catalogue' },
  ),
  plain(
    '`data-metronome-item` of the nearest ancestor',
    `<section data-metronome-item="outer"><p data-metronome-item="trees">${link('/files/trees.csv')}</p></section>`,
    [download('/files/trees.csv', { item: 'trees' })],
  ),
  plain(
    'without an item of its own, the page says its own',
    link('/files/trees.csv'),
    [download('/files/trees.csv', { page_item: 'catalogue' })],
    { item: 'catalogue' },
  ),
  plain('`formats` replaces the list', link('/files/trees.csv'), [], { formats: 'las, laz' }),
  plain('a format of `formats`', link('/files/trees.laz'), [download('/files/trees.laz')], {
    formats: 'las, laz',
  }),
  plain('none with `downloads` off', link('/files/trees.csv'), [], { downloads: false }),
  {
    ...plain('a file made in the page', '', [download('blob:trees.csv', { format: 'csv' })]),
    steps: async ({ page }) => {
      await page.evaluate(() => {
        const anchor = document.createElement('a');
        anchor.href = URL.createObjectURL(new Blob(['a,b']));
        anchor.download = 'trees.csv';
        document.body.append(anchor);
        // The page would save a file: it is enough to see the click.
        anchor.click();
      });
    },
  },
];

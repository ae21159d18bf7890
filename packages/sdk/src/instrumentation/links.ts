/**
 * Clicks on links that lead to a file or to another host: any button but the one for menus, any
 * modifier, the keyboard; in HTML, SVG and shadow trees, and however late the link was added.
 *
 * A click is judged after the page's own handlers have seen it: one that they prevented leads
 * nowhere and does not count.
 */
import { listen } from '../lib/listen.ts';
import type { Instrumentation } from '../instrumentation.ts';
import { attributes } from '../lib/attributes.ts';
import { safely } from '../lib/safely.ts';
import { alternation } from '../options.ts';

export const fileFormats =
  '.sv|\\w*jsonl?|.ml|.df|ttl|(doc|ppt|xls).?|od.|epub|txt|..?z|.ar|zip|shp|g?pkg|nc|tiff?|parquet|mp.|exe';

/**
 * A download's `file` is the URL of the file; of one that exists in the page only, `blob:` and its
 * name. `item` is the link's own `data-metronome-item`, `page_item` what the page is about.
 */
export const links: Instrumentation = (emit, options) => {
  const { outbound, view, formats = fileFormats, downloads } = options;
  const ending = new RegExp(`\\.(${alternation(formats)})$`, 'i');

  listen<MouseEvent>('click auxclick', (event) => {
    const path = event.composedPath() as HTMLAnchorElement[];
    // <a>, <area>, and the <a> of SVG.
    const link = path.find((node) => /^a/i.test(node.tagName) && node.href);
    if (!link || event.button > 1) return;
    const { href, download } = link;
    // In SVG an object: https://developer.mozilla.org/docs/Web/API/SVGAElement/href
    const url = new URL((href as unknown as SVGAnimatedString).baseVal ?? href, link.baseURI);
    const web = url.href.startsWith('http');
    url.hash = '';
    setTimeout(
      safely(() => {
        if (event.defaultPrevented) return;
        if (link.matches('[download]') || (web && ending.test(url.pathname))) {
          if (downloads !== false) {
            emit('download', {
              file: web ? url.href : url.protocol + download,
              item: attributes(path).item,
              page_item: view().item,
              format: ending.exec(download)?.[1],
            });
          }
        } else if (web && outbound !== false && url.host !== location.host) {
          emit('outbound', { target: url.href });
        }
      }),
    );
  });
};

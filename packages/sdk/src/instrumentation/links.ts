/**
 * Downloads and outbound links.
 *
 * A click is judged after the page's own handlers have seen it: one that they prevented leads
 * nowhere and does not count.
 */
import type { Instrumentation } from '../instrumentation.ts';
import { attributeItem } from '../lib/attribute-item.ts';
import { listen } from '../lib/listen.ts';
import { safely } from '../lib/safely.ts';
import { alternation } from '../options.ts';

const fileFormats =
  '7z|avi|bz2|csv|dmg|docx?|epub|exe|geojson|gpkg|gz|ics|iso|jar|jsonl?|kml|kmz|mp[34]|msi|nc|ndjson|od[pst]|parquet|pdf|pkg|pptx?|rar|rdf|rtf|shp|sqlite|tar|tgz|tiff?|tsv|ttl|txt|wav|xlsx?|xml|xz|zip|zst';

export const links: Instrumentation = (emit, options, { views }) => {
  const { downloads, outbound, formats = fileFormats } = options;
  const ending = new RegExp(`\\.(${alternation(formats)})$`, 'i');

  return listen<MouseEvent>(globalThis, 'click auxclick', (event) => {
    const path = event.composedPath() as Element[];
    const link = path.find(
      (node) => /^a(rea)?$/i.test(node.tagName) && (node as HTMLAnchorElement).href,
    );
    // Button 2 opens a menu.
    if (!link || event.button > 1) return;
    const href: string | SVGAnimatedString = (link as HTMLAnchorElement | SVGAElement).href;
    const url = new URL(typeof href === 'string' ? href : href.baseVal, document.baseURI);
    const name = link.getAttribute('download');
    const web = /^http/.test(url.protocol);
    url.hash = '';
    const view = views[views.length - 1];
    setTimeout(
      safely(() => {
        if (event.defaultPrevented) return;
        if (downloads !== false && (name !== null || (web && ending.test(url.pathname)))) {
          emit(
            'download',
            {
              file: web ? url.href : url.protocol + name,
              format: ending.test(url.pathname)
                ? undefined
                : ending.exec(name ?? '')?.[1]?.toLowerCase(),
              item: attributeItem(path),
              page_item: view?.item,
            },
            view,
          );
        } else if (outbound !== false && web && url.host !== location.host) {
          emit('outbound', { target: url.href }, view);
        }
      }),
    );
  });
};

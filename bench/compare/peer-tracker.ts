/** Another product in the pages of the conformance table. */
import { gunzipSync } from 'node:zlib';

import { HASTE, pageScript, type TagOptions, type Tracker } from '../../e2e/sdk/tracker.ts';
import type { Product } from './product.ts';

/** What batches of seconds need, in these pages. */
const DELIVERY_MS = 10_000;
/** In which a product has as long for its retries as 100 s elsewhere. */
const PATIENCE_MS = 5_000;

export function peerTracker(product: Product, scriptUrl: string): Tracker {
  return {
    name: product.name,
    patienceMs: PATIENCE_MS,
    wire: {
      path: product.path,
      status: 200,
      events: (body, { 'content-encoding': encoding }) =>
        product.events((encoding === 'gzip' ? gunzipSync(body) : body).toString()),
    },
    head(collectorOrigin, options, attributes = '') {
      const given = JSON.stringify({
        ...optionsOf(product, options),
        ...product.endpoint(collectorOrigin),
      });
      return `<script ${attributes}>${FASTER_INTERVALS} ${PAGE_SCRIPT} peerOptions = ${given};</script>
<script defer src="${scriptUrl}" ${attributes}></script>`;
    },
  };
}

/** What the table does to timeouts, for products that send or retry by intervals. */
const FASTER_INTERVALS = `{
  const repeat = setInterval;
  window.setInterval = (run, ms, ...rest) => repeat(run, ms >= 1000 ? ms / ${HASTE} : ms, ...rest);
}`;

const PAGE_SCRIPT = pageScript({
  beat: `peer(n, 'x'.repeat(bytes ?? 0))`,
  flush: `new Promise((resolve) => setTimeout(resolve, ${DELIVERY_MS}))`,
  late: `new Promise((resolve) => setTimeout(resolve, ${DELIVERY_MS}))`,
});

function optionsOf({ options: known }: Product, options: TagOptions): object {
  return Object.assign(
    {},
    ...Object.entries(options).map(([name, value]) => known[name]?.(value) ?? {}),
  );
}

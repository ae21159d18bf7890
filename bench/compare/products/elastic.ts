import type { WireEvent } from '../../../e2e/sdk/recording-collector.ts';
import { because, type Product, SPA } from '../product.ts';

interface Line {
  readonly transaction?: {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly context?: Context;
    readonly marks?: { readonly agent?: Readonly<Record<string, number>> };
    readonly experience?: Readonly<Record<string, number>>;
  };
  readonly error?: { readonly id: string; readonly context?: Context };
}

interface Context {
  readonly page?: { readonly url?: string; readonly referer?: string };
}

const VITALS = {
  LCP: 'largestContentfulPaint',
  FCP: 'firstContentfulPaint',
  TTFB: 'timeToFirstByte',
  CLS: 'cls',
  INP: 'inp',
} as const;

export const elastic: Product = {
  name: 'Elastic RUM',
  package: '@elastic/apm-rum',
  about: 'performance: page loads and route changes as transactions, errors, web vitals',
  entry: `
    import { init } from '@elastic/apm-rum';
    const apm = init({ serviceName: 'site', apiVersion: 2, flushInterval: 100, eventsLimit: 1000, ...peerOptions });
    globalThis.peer = (n, text) => {
      const transaction = apm.startTransaction('beat ' + n, 'custom');
      if (text) transaction.addLabels({ text });
      // One without a duration is dropped.
      transaction.end(performance.now() + 1);
    };`,
  options: {},
  without: {
    download: 'no downloads',
    outbound: 'clicks as transactions, but no outbound links',
  },
  except: because('route changes are timed where they load something, not counted', SPA),
  path: /^\/intake\/v\d\/rum\/events/u,
  endpoint: (collectorOrigin) => ({ serverUrl: collectorOrigin }),
  events: (body) =>
    body
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => eventsOf(JSON.parse(line))),
};

function eventsOf({ transaction, error }: Line): WireEvent[] {
  if (error) return [{ event: 'error', id: error.id, url: error.context?.page?.url }];
  if (!transaction) return [];
  const { id, name, type, context, marks, experience } = transaction;
  const { url, referer: referrer } = context?.page ?? {};
  if (type === 'custom') return [{ event: 'beat', id, url, n: Number(name.replace('beat ', '')) }];
  const measured = { ...marks?.agent, ...experience };
  const vitals = Object.entries(VITALS)
    .filter(([, key]) => measured[key] !== undefined)
    .map(([vital, key]) => ({
      event: 'vital',
      id: `${id} ${vital}`,
      name: vital,
      value: measured[key],
    }));
  const isView = type === 'page-load' || type === 'route-change';
  return [...(isView ? [{ event: 'view', id, url, referrer }] : []), ...vitals];
}

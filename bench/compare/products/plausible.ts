import type { WireEvent } from '../../../e2e/sdk/recording-collector.ts';
import type { Product } from '../product.ts';

interface Sent {
  readonly n: string;
  readonly u: string;
  readonly r?: string | null;
  readonly p?: Readonly<Record<string, string>>;
  readonly e?: number;
}

export const plausible: Product = {
  name: 'Plausible',
  package: '@plausible-analytics/tracker',
  about: 'page views, engaged time, scroll depth, downloads, outbound links, forms',
  entry: `
    import { DEFAULT_FILE_TYPES, init, track } from '@plausible-analytics/tracker';
    init({
      domain: 'site.example',
      captureOnLocalhost: true,
      outboundLinks: true,
      fileDownloads: { fileExtensions: [...DEFAULT_FILE_TYPES, 'epub'] },
      ...peerOptions,
    });
    globalThis.peer = (n, text) => track('beat', { props: { n: String(n), text } });`,
  options: {
    hash: (value) => ({ hashBasedRouting: value }),
    formats: (value) => ({ fileDownloads: { fileExtensions: String(value).split(/, */u) } }),
    downloads: (value) => ({ fileDownloads: value }),
    outbound: (value) => ({ outboundLinks: value }),
  },
  without: { error: 'no errors', vital: 'no web vitals' },
  path: /^\/api\/event$/u,
  endpoint: (collectorOrigin) => ({ endpoint: `${collectorOrigin}/api/event` }),
  events(body) {
    const {
      n: name,
      u: url,
      r: referrer,
      p: properties = {},
      e: duration,
    }: Sent = JSON.parse(body);
    const events: Record<string, WireEvent> = {
      pageview: { event: 'view', url, referrer },
      engagement: { event: 'engagement', url, duration },
      'File Download': { event: 'download', url, file: properties['url'] },
      'Outbound Link: Click': { event: 'outbound', url, target: properties['url'] },
      beat: { event: 'beat', url, n: Number(properties['n']) },
    };
    return [events[name] ?? { event: name, url }];
  },
};

import type { WireEvent } from '../../../e2e/sdk/recording-collector.ts';
import type { Product } from '../product.ts';

interface Sent {
  readonly type: string;
  readonly payload: {
    readonly name: string;
    readonly properties?: Readonly<Record<string, unknown>>;
  };
}

export const openpanel: Product = {
  name: 'OpenPanel',
  package: '@openpanel/web',
  about: 'page views, outbound links',
  entry: `
    import { OpenPanel } from '@openpanel/web';
    const op = new OpenPanel({
      clientId: 'site',
      trackScreenViews: true,
      trackOutgoingLinks: true,
      trackAttributes: true,
      ...peerOptions,
    });
    globalThis.peer = (n, text) => void op.track('beat', { n, text });`,
  external: ['./replay-*'],
  options: {
    hash: (value) => ({ trackHashChanges: value }),
    outbound: (value) => ({ trackOutgoingLinks: value }),
  },
  without: { download: 'no downloads', error: 'no errors', vital: 'no web vitals' },
  path: /^\/track$/u,
  endpoint: (collectorOrigin) => ({ apiUrl: collectorOrigin }),
  events(body) {
    const { type, payload }: Sent = JSON.parse(body);
    if (type !== 'track') return [];
    const { name, properties = {} } = payload;
    const url = properties['__path'];
    const events: Record<string, WireEvent> = {
      screen_view: { event: 'view', url, referrer: properties['__referrer'] },
      link_out: { event: 'outbound', url, target: properties['href'] },
      beat: { event: 'beat', url, n: properties['n'] },
    };
    return [events[name] ?? { event: name, url }];
  },
};

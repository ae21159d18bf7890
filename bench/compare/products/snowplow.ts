import type { WireEvent } from '../../../e2e/sdk/recording-collector.ts';
import { because, type Product, SPA } from '../product.ts';

interface Sent {
  readonly data: readonly Readonly<Record<string, string>>[];
}

const PLUGIN = 'by a plugin of its own';

export const snowplow: Product = {
  name: 'Snowplow',
  package: '@snowplow/browser-tracker',
  about: 'page views, page pings, a queue that outlives the page; the rest by plugins',
  entry: `
    import { enableActivityTracking, newTracker, trackPageView, trackStructEvent } from '@snowplow/browser-tracker';
    newTracker('sp', peerOptions.collector, { appId: 'site', keepalive: true, ...peerOptions.tracker });
    enableActivityTracking({ minimumVisitLength: 10, heartbeatDelay: 10 });
    trackPageView();
    globalThis.peer = (n, label) => trackStructEvent({ category: 'app', action: 'beat', label, value: n });`,
  options: { respect: () => ({ tracker: { respectDoNotTrack: true } }) },
  without: { download: PLUGIN, outbound: PLUGIN, error: PLUGIN, vital: PLUGIN },
  except: because('views within a document by calls of the application', SPA),
  path: /^\/com\.snowplowanalytics\.snowplow\/tp2$/u,
  endpoint: (collectorOrigin) => ({ collector: collectorOrigin }),
  events(body) {
    const { data }: Sent = JSON.parse(body);
    return data.map(({ e: kind = '', eid: id, url, refr: referrer, se_va: n }) => {
      const events: Record<string, WireEvent> = {
        pv: { event: 'view', id, url, referrer },
        pp: { event: 'engagement', id, url },
        se: { event: 'beat', id, url, n: Number(n) },
      };
      return events[kind] ?? { event: kind, id };
    });
  },
};

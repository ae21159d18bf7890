import type { WireEvent } from '../../../e2e/sdk/recording-collector.ts';
import type { Product } from '../product.ts';

interface Sent {
  readonly event: string;
  readonly uuid: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export const posthog: Product = {
  name: 'PostHog',
  package: 'posthog-js',
  about: 'product analytics: views, clicks, errors, web vitals, replay and more',
  entry: `
    import posthog from 'posthog-js/dist/module.no-external';
    import 'posthog-js/dist/exception-autocapture';
    import 'posthog-js/dist/web-vitals';
    posthog.init('phc_site', {
      capture_pageview: 'history_change',
      capture_exceptions: true,
      capture_performance: { web_vitals: true, web_vitals_attribution: false },
      autocapture: false,
      disable_session_recording: true,
      disable_surveys: true,
      advanced_disable_flags: true,
      disable_compression: true,
      opt_out_useragent_filter: true,
      persistence: 'memory',
      ...peerOptions,
    });
    globalThis.peer = (n, text) => posthog.capture('beat', { n, text });`,
  options: {
    respect: () => ({ respect_dnt: true }),
    errors: (value) => ({ capture_exceptions: value }),
  },
  without: { TTFB: 'no TTFB', download: 'no downloads', outbound: 'clicks, but no outbound links' },
  path: /^\/(e|i\/v0\/e|batch|capture)\/?(\?|$)/u,
  endpoint: (collectorOrigin) => ({ api_host: collectorOrigin }),
  events: (body) => parse(body).flatMap(eventsOf),
};

/** JSON, or by beacon a form whose `data` is Base64. */
function parse(body: string): Sent[] {
  const data = body.startsWith('data=') ? new URLSearchParams(body).get('data') : null;
  const json = data === null ? body : Buffer.from(data, 'base64').toString();
  const sent: Sent | Sent[] | { batch: Sent[] } = JSON.parse(json);
  if (Array.isArray(sent)) return sent;
  return 'batch' in sent ? sent.batch : [sent];
}

function eventsOf({ event, uuid: id, properties }: Sent): WireEvent[] {
  const url = properties['$current_url'];
  if (event === '$web_vitals') {
    return ['CLS', 'FCP', 'INP', 'LCP', 'TTFB'].flatMap((name) => {
      const value = properties[`$web_vitals_${name}_value`];
      return value === undefined ? [] : [{ event: 'vital', id: `${id} ${name}`, name, value, url }];
    });
  }
  const events: Record<string, WireEvent> = {
    $pageview: { event: 'view', id, url, referrer: properties['$referrer'] },
    $exception: { event: 'error', id, url },
    beat: { event: 'beat', id, url, n: properties['n'] },
  };
  return [events[event] ?? { event, id, url }];
}

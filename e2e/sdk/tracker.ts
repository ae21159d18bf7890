import type { Wire } from './recording-collector.ts';

/** A product that measures pages, and how to put it into one. */
export interface Tracker {
  readonly name: string;
  /**
   * What goes into the head of a page: the tracker, and as `conformance` what the steps need:
   * `beat(n, bytes)` records an event; `delivered` becomes true after `deliver()`, when what was
   * recorded before has been sent, or could not be.
   */
  head(collectorOrigin: string, options: TagOptions, attributes?: string): string;
  /** How its requests are read; ours by default. */
  readonly wire?: Wire;
  /** How long what is expected may take to come. */
  readonly patienceMs?: number;
  /** The end of the address of what it loads when the page is idle, if anything. */
  readonly lateScript?: string;
}

/** Data attributes, without their `data-`. */
export type TagOptions = Readonly<Record<string, string | boolean>>;

/** Back-off and batches take seconds in the SDK; in these pages that many times less. */
export const HASTE = 20;

/** What differs from product to product: expressions in which `n` and `bytes` stand for the event. */
export interface PageCalls {
  readonly beat: string;
  /** A promise: what was recorded has been sent, or could not be. */
  readonly flush: string;
  /** A promise: what waits for an idle moment observes the page. */
  readonly late: string;
}

/**
 * What the steps use in a page.
 *
 * `thrown` is what nobody caught in the page: nothing of it may come from a tracker. `names` are
 * the globals before it.
 */
export const pageScript = ({ beat, flush, late }: PageCalls): string => `
{
  const later = setTimeout;
  window.setTimeout = (run, ms, ...rest) => later(run, ms >= 1000 ? ms / ${HASTE} : ms, ...rest);
  const timeout = AbortSignal.timeout;
  AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / ${HASTE});
}
conformance = {
  thrown: [],
  beat: (n, bytes) => ${beat},
  async deliver() {
    this.delivered = false;
    // Clicks and navigations are noted in a task of their own, errors in groups of a second.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await ${flush};
    this.delivered = true;
  },
  late: () => ${late},
};
addEventListener('error', ({ target, message }) => {
  conformance.thrown.push(message ?? target.tagName + ' failed to load');
}, true);
addEventListener('unhandledrejection', ({ reason }) => conformance.thrown.push(String(reason)));
addEventListener('securitypolicyviolation', (event) => {
  conformance.thrown.push(event.effectiveDirective + ' blocked ' + event.blockedURI);
});
conformance.names = Object.getOwnPropertyNames(window);
`;

const CONFORMANCE = pageScript({
  beat: `metronome.track('beat', { n, ...(bytes && { text: 'x'.repeat(bytes) }) })`,
  flush: 'metronome.flush()',
  late: `import(performance.getEntriesByType('resource')
    .find(({ name }) => name.endsWith('/metronome-vitals.js')).name)`,
});

export const metronome: Tracker = {
  name: 'metronome',
  lateScript: '/metronome-vitals.js',
  head: (
    collectorOrigin,
    options,
    attributes = '',
  ) => `<script ${attributes}>${CONFORMANCE}</script>
<script defer src="${collectorOrigin}/metronome.js" ${dataAttributes(options)} ${attributes}></script>`,
};

function dataAttributes(options: TagOptions): string {
  return Object.entries(options)
    .map(([name, value]) => `data-${name}="${String(value).replaceAll('"', '&quot;')}"`)
    .join(' ');
}

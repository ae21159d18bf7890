import type { Emit, Instrumentation, Instrumentations, Page, View } from './instrumentation.ts';
import { listen, unlisten } from './lib/listen.ts';
import { newId } from './lib/new-id.ts';
import { safely } from './lib/safely.ts';
import type { EventRecord, Options } from './options.ts';
import { add, forget, losses, openStorage, rememberConsent } from './queue.ts';
import { connect, depart, flush, hurry, schedule } from './transport.ts';

/** A view waits this long for its title, its item, or a redirect by `replaceState`. */
export const settleMs = 100;

/** What `start` returns. No call throws, and none does anything after `stop`. */
export interface Metronome {
  /** Records an event of the application's. */
  track(name: string, properties?: EventRecord): void;
  /** Begins a page view, for applications that say so themselves. */
  view(properties?: EventRecord): void;
  /** Says what the page is about, until the URL changes. */
  setItem(item: string | undefined): void;
  /** The answer is remembered on this device, without any id; a `denied` holds until `granted`. */
  consent(state: 'granted' | 'denied'): void;
  /** Sends what is queued; resolves when the collector has answered or could not be reached. */
  flush(): Promise<void>;
  /** Sends what is queued and takes all listeners away. */
  stop(): void;
  /** Adds instrumentations. */
  use(instrumentations: Instrumentations): void;
}

/**
 * Measures this page until `stop`. One at a time: the queue and the listeners are the page's.
 *
 * `secrets` matches what must not leave the page; its first group stays.
 */
export const createTracker = (
  options: Options,
  instrumentations: Instrumentations,
  secrets: RegExp | '' = /^$/,
): Metronome => {
  let { session, beforeSend, endpoint = '', app, consent = 'granted', visitor } = options;
  const url = endpoint.replace(/\/?$/, '/tick');
  const { doNotTrack, globalPrivacyControl } = navigator as unknown as {
    globalPrivacyControl?: boolean;
    doNotTrack: number;
  };
  const privacy = globalPrivacyControl ? 'gpc' : doNotTrack > 0 && 'dnt';
  const leaveListeners: ((ended?: boolean) => void)[] = [];

  let live = !(
    Math.random() >= (options.sample as number) ||
    (privacy && options.respect === 'drop')
  );
  let active: boolean | undefined;
  let view: View = { url: location.href, item: options.item, page: newId() };
  /** Of a view whose title, item and URL may still change. */
  let draft: EventRecord | null | undefined;
  /** Until when they may, of the latest view; none before the first. */
  let settling: ReturnType<typeof setTimeout> | undefined;

  const record = safely<Parameters<Emit>, void>((event, fields) => {
    let fresh: EventRecord | null | undefined | false = {
      event,
      time: Date.now(),
      ...view,
      app,
      id: newId(),
      ...(privacy ? { privacy } : { session, visitor }),
      ...fields,
    };
    if (beforeSend) fresh = beforeSend(fresh);
    if (consent !== 'denied' && (fresh as EventRecord)?.event && live) {
      add(JSON.stringify(fresh).replace(secrets, '$1'), event === 'dropped');
      schedule();
    }
  });

  const seal = (): void => {
    const fields = draft;
    draft = null;
    if (fields) record('view', { title: document.title, id: view.page, ...fields, ...view });
  };

  /** Reports what was lost; true if anything may be sent or stored. */
  const prepare = (): boolean | undefined => {
    if (losses._count) record('dropped', { value: losses._count });
    losses._count = 0;
    // Storage may tell of a no.
    return active && consent === 'granted' && (!openStorage(url) || allow('denied'));
  };

  const leave = (ended?: boolean): void => {
    for (const listener of leaveListeners) listener(ended);
    seal();
  };

  const begin = safely((fields: EventRecord = {}) => {
    const before = view.url;
    const { href } = location;
    if (!draft || fields.navigation !== 'replace') {
      if (settling) {
        leave(true);
        view = { url: href, item: href === before ? view.item : undefined, page: newId() };
      }
      draft = { referrer: settling ? before : document.referrer, time: Date.now(), ...fields };
      clearTimeout(settling);
      settling = setTimeout(() => {
        seal();
        hurry();
      }, settleMs);
    }
    view.url = href;
    view.item = (fields.item as string) ?? view.item;
  });

  const allow = (state: typeof consent): undefined => {
    consent = state;
    if (state === 'denied') forget(url);
    schedule();
  };

  const emit: Emit = (event, fields) => (event === 'view' ? begin(fields) : record(event, fields));

  const given: Options & Omit<Page, 'report' | 'early'> = {
    ...options,
    listen,
    view: () => view,
    onLeave: (listener) => leaveListeners.push(safely(listener)),
  };

  const use = (added: Instrumentations): void => {
    for (const name in added) {
      if (options[name as keyof Options] !== false)
        safely(added[name] as Instrumentation)(emit, given as Options & Page);
    }
  };

  const activate = (): void => {
    active = true;
    allow(consent);
    use(instrumentations);
  };

  const exit = (): void => {
    leave();
    depart();
  };

  connect(url, prepare);
  if (live) {
    listen('prerenderingchange', activate);
    listen(
      'visibilitychange pagehide',
      ({ type }) => {
        if (document.hidden) {
          exit();
          // What is recorded only now, as vitals are, would else have one chance against a 503.
          depart();
        } else if (type === 'pagehide') exit();
      },
      true,
    );
    if (!(document as { prerendering?: boolean }).prerendering) activate();
  }

  return {
    track: emit,
    view: begin,
    setItem: (next) => {
      view.item = next;
    },
    consent: (state) => {
      allow(state);
      rememberConsent(state);
    },
    flush: () => {
      seal();
      return flush();
    },
    stop: safely(() => {
      exit();
      live = false;
      unlisten();
    }),
    use,
  };
};

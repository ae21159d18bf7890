import type { Emit, Instrumentation, Page, View } from './instrumentation.ts';
import { listen, type Stop } from './lib/listen.ts';
import { newId } from './lib/new-id.ts';
import { safely } from './lib/safely.ts';
import { alternation, type EventRecord, type Options } from './options.ts';
import { createQueue } from './queue.ts';
import { createTransport, settleMs } from './transport.ts';

/** What `start` returns. No call throws, and none does anything after `stop`. */
export interface Metronome {
  /** Records an event of the application's. */
  track(name: string, properties?: EventRecord): void;
  /** Begins a page view, for applications that say so themselves. */
  view(properties?: EventRecord): void;
  /** Says what the page is about, until the URL changes. */
  setItem(item: string | undefined): void;
  /** A `denied` is remembered on this device, without any id, until a `granted`. */
  consent(state: 'granted' | 'denied'): void;
  /** Sends what is queued; resolves when the collector has answered or could not be reached. */
  flush(): Promise<void>;
  /** Sends what is queued and takes all listeners away. */
  stop(): void;
  /** Adds an instrumentation. */
  use(instrumentation: Instrumentation): void;
}

const storageKey = 'metronome';
/** Views kept in memory, so that a late metric finds the one it belongs to. */
const viewsMax = 20;

/** Measures this page until `stop`. */
export const createTracker = (
  options: Options,
  instrumentations: readonly Instrumentation[],
): Metronome => {
  const { beforeSend, sample = 1, scrub } = options;
  const signal = privacySignal();
  const secrets = scrub && secretsPattern(alternation(scrub));
  const url = tickUrl(options);
  const queue = createQueue(`${storageKey}:${url}:`);
  const stops: Stop[] = [queue._stop];
  const leaveListeners: ((ended: boolean) => void)[] = [];

  let view: View = { page: newId(), url: location.href, item: options.item };
  const views = [view];
  let viewed = false;
  /** A view whose title, item and URL may still change. */
  let draft: EventRecord | undefined;
  let consent = options.consent ?? 'granted';
  let active = false;
  let prepared = false;
  let live = Math.random() < Number(sample) && !(signal && options.respect === 'drop');

  const record: Emit = (event, fields, of = view) => {
    if (!live || consent === 'denied') return;
    let fresh: EventRecord | null | undefined | false = {
      event,
      id: newId(),
      time: Date.now(),
      app: options.app,
      visitor: options.visitor,
      session: options.session,
      ...of,
      ...fields,
      ...(signal && { privacy: signal, visitor: undefined, session: undefined }),
    };
    if (beforeSend) fresh = beforeSend(fresh);
    if (!fresh) return;
    const line = JSON.stringify(fresh);
    transport._send(secrets ? line.replace(secrets, '$1$2$3') : line);
  };

  const seal = safely(() => {
    const fields = draft;
    draft = undefined;
    if (fields) record('view', { id: view.page, title: document.title, ...fields, ...view });
  });

  const leave = (ended: boolean): void => {
    for (const listener of leaveListeners) safely(listener)(ended);
  };

  const begin = (fields: EventRecord): void => {
    if (draft && fields.navigation === 'replace') {
      view.url = location.href;
      return;
    }
    if (viewed) leave(true);
    seal();
    const { url = location.href, item = url === view.url ? view.item : undefined } =
      fields as Partial<View>;
    draft = {
      time: Date.now(),
      referrer: (viewed ? view.url : document.referrer) || undefined,
      language: navigator.language,
      ...campaign(url),
      ...fields,
    };
    view = { page: viewed ? newId() : view.page, url, item };
    if (!viewed) views.pop();
    views.push(view);
    if (views.length > viewsMax) views.splice(1, 1);
    viewed = true;
    transport._schedule(settleMs);
  };

  const emit: Emit = (event, fields = {}, of) =>
    event === 'view' ? begin(fields) : record(event, fields, of);

  const transport = createTransport(
    url,
    queue,
    () => {
      if (!prepared) {
        prepared = true;
        if (remembersDenial()) allow('denied');
        else queue._adopt();
      }
      seal();
    },
    safely((dropped) => record('dropped', { value: dropped })),
  );

  const allow = (state: 'granted' | 'pending' | 'denied'): void => {
    consent = state;
    if (consent === 'denied') {
      queue._remove(queue._take(Infinity));
      queue._save();
    }
    transport._allow(active && consent === 'granted');
  };

  const page: Page = { views, onLeave: (listener) => leaveListeners.push(listener) };
  const use = safely((instrumentation: Instrumentation) => {
    stops.push(instrumentation(emit, options, page));
  });

  const run = (): void => {
    active = true;
    instrumentations.forEach(use);
    allow(consent);
  };

  const depart = (): void => {
    leave(false);
    transport._leave();
  };

  if (live) {
    stops.push(
      transport._stop,
      listen(
        globalThis,
        'pagehide visibilitychange',
        (event) => {
          if (document.hidden || event.type === 'pagehide') depart();
        },
        true,
      ),
    );
    if ((document as { prerendering?: boolean }).prerendering) {
      stops.push(listen(document, 'prerenderingchange', run));
    } else run();
  }

  return {
    track: safely((name, properties) => record(name, properties)),
    view: safely((properties = {}) => begin(properties)),
    setItem: safely((item) => {
      view.item = item;
    }),
    consent: safely((state) => {
      rememberDenial(state === 'denied');
      allow(state);
    }),
    flush: () => transport._flush(),
    stop: safely(() => {
      depart();
      live = false;
      for (const stop of stops) stop();
    }),
    use,
  };
};

const tickUrl = ({ endpoint = '', key }: Options): string =>
  endpoint.replace(/\/*$/, '/tick') + (key ? `?key=${encodeURIComponent(key)}` : '');

const secretsPattern = (names: string): RegExp =>
  new RegExp(`([?&#]|%3F|%26)(${names})(=|%3D)[^&#"\\\\\\s]*`, 'gi');

/** Global Privacy Control, else Do Not Track, if the visitor has switched one on. */
const privacySignal = (): string | undefined => {
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & {
    globalPrivacyControl?: boolean;
    doNotTrack?: string;
  };
  return globalPrivacyControl ? 'gpc' : doNotTrack === '1' ? 'dnt' : undefined;
};

const campaign = (url: string): EventRecord => {
  const found: EventRecord = {};
  new URL(url).searchParams.forEach((value, name) => {
    if (name.startsWith('utm_')) found[name] = value;
  });
  return found;
};

const remembersDenial = (): boolean => {
  try {
    return localStorage.getItem(storageKey) === 'denied';
  } catch {
    return false;
  }
};

const rememberDenial = safely((denied: boolean) =>
  denied ? localStorage.setItem(storageKey, 'denied') : localStorage.removeItem(storageKey),
);

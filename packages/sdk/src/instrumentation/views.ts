/**
 * Page views: the load, navigations within the document, and pages that come back.
 *
 * Navigations are seen after they happened, by the Navigation API's `currententrychange`
 * (https://developer.mozilla.org/docs/Web/API/Navigation/currententrychange_event), else by
 * wrapping `pushState` and `replaceState`.
 */
import type { Instrumentation } from '../instrumentation.ts';
import { all, listen, type Stop } from '../lib/listen.ts';
import { safely } from '../lib/safely.ts';

type NavigationType = 'load' | 'push' | 'replace' | 'traverse' | 'restore';

export const views: Instrumentation = (emit, { hash, replace, query, background }) => {
  const address = (): string => (hash ? location.href : location.href.split('#', 1)[0]) as string;
  const path = (href: string): string => href.replace(/\?[^#]*/, '');
  let seen = '';

  const view = (navigation: NavigationType): void => {
    seen = address();
    emit('view', { navigation });
  };

  const navigated = (navigation: NavigationType): void => {
    const before = seen;
    seen = address();
    const counts =
      path(before) === path(seen)
        ? before !== seen && query !== false && navigation !== 'replace'
        : replace !== false || navigation !== 'replace';
    if (counts) view(navigation);
  };

  const load = (): void => {
    if (!seen && (background || !document.hidden)) view('load');
  };

  load();
  return all(
    listen(document, 'visibilitychange', load),
    listen<PageTransitionEvent>(globalThis, 'pageshow', (event) => {
      if (event.persisted) view('restore');
    }),
    'navigation' in globalThis ? observe(navigated) : patch(navigated),
  );
};

const observe = (navigated: (type: NavigationType) => void): Stop =>
  listen<NavigationCurrentEntryChangeEvent>(navigation, 'currententrychange', (event) => {
    if (event.navigationType) navigated(event.navigationType as NavigationType);
  });

const patch = (navigated: (type: NavigationType) => void): Stop => {
  const patches = (['push', 'replace'] as const).map((type) => {
    const method = `${type}State` as const;
    const original = history[method];
    const report = safely(() => navigated(type));
    let stopped = false;
    const patched: typeof original = function (this: History, ...args) {
      original.apply(this, args);
      if (!stopped) report();
    };
    history[method] = patched;
    return () => {
      stopped = true;
      // Somebody else may have wrapped it since; then ours stays, and is silent.
      if (history[method] === patched) history[method] = original;
    };
  });
  return all(
    listen(globalThis, 'popstate', () => navigated('traverse')),
    ...patches,
  );
};

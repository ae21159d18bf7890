/**
 * Page views: the load, navigations within the document, and pages that come back.
 *
 * Navigations are seen after they happened, by the Navigation API's `currententrychange`
 * (https://developer.mozilla.org/docs/Web/API/Navigation/currententrychange_event), else by
 * wrapping `pushState` and `replaceState`.
 */
import { listen } from '../lib/listen.ts';
import type { Instrumentation } from '../instrumentation.ts';
import { safely } from '../lib/safely.ts';

export const views: Instrumentation = (emit, { background, replace, query, hash }) => {
  let path = '';
  let place = '';

  /** Looks where we are; a place that was seen before is no view. */
  const look = (navigation?: string): void => {
    if (!path && document.hidden && !background) return;
    const pathBefore = path;
    const placeBefore = place;
    path = location.pathname + (hash ? location.hash : '');
    place = path + (query === false ? '' : location.search);
    if (
      navigation === 'replace' ? path !== pathBefore && replace !== false : place !== placeBefore
    ) {
      emit('view', { navigation: pathBefore ? navigation : 'load' });
    }
  };

  look();
  listen<PageTransitionEvent>('visibilitychange pageshow popstate', ({ persisted }) => {
    if (persisted) emit('view', { navigation: 'restore' });
    else look('traverse');
  });
  // A page may call something of its own `navigation`: a constant, or an element by its id.
  const api = window.navigation;
  if (api?.currentEntry) {
    listen<NavigationCurrentEntryChangeEvent>(
      'currententrychange',
      // `null` is an update of the entry's state.
      ({ navigationType }) => navigationType && look(navigationType),
      false,
      api,
    );
  } else {
    // The wrappers stay after a stop, for others may have wrapped them; nobody listens to them.
    for (const navigation of ['push', 'replace']) {
      const method = `${navigation}State` as 'pushState';
      const original = history[method];
      history[method] = (...args) => {
        original.apply(history, args);
        safely(look)(navigation);
      };
    }
  }
};

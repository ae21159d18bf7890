/**
 * Web vitals, each once per page load, restored page or soft navigation: what it was when the page
 * was first hidden, or its view ended.
 */
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';
import type { Instrumentation, View } from '../instrumentation.ts';

export const vitals: Instrumentation = (emit, _options, { view }) => {
  const first = view();
  const views: Record<string, View> = {};
  const reported: Record<string, boolean> = {};
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) {
    observe(
      ({ id, name, value, rating, navigationType: navigation, navigationURL }) => {
        // A metric may come when its view has ended.
        views[view().url] = view();
        if (!reported[id]) {
          emit('vital', {
            ...(views[navigationURL as string] ?? first),
            name,
            value: Number(value.toFixed(4)),
            rating,
            navigation,
          });
        }
        reported[id] = true;
      },
      { reportSoftNavs: true },
    );
  }
};

/**
 * Web vitals, each once per page load, restored page or soft navigation: what it was when the page
 * was first hidden, or its view ended.
 */
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';
import type { Instrumentation, View } from '../instrumentation.ts';

export const vitals: Instrumentation = (emit, { view }) => {
  const first = view();
  /** Views by their URL, for a metric may come when its view has ended; and metrics by id. */
  const seen: Record<string, View> = {};
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) {
    observe(
      ({ id, name, value, rating, navigationType: navigation, navigationURL }) => {
        seen[view().url] = view();
        if (!seen[id]) {
          emit('vital', {
            ...(seen[navigationURL as string] ?? first),
            name,
            value: Number(value.toFixed(4)),
            rating,
            navigation,
          });
        }
        seen[id] = first;
      },
      { reportSoftNavs: true },
    );
  }
};

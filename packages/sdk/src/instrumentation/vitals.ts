/** Web vitals, each once per page load, restored page or soft navigation. */
import { onCLS, onFCP, onINP, onLCP, onTTFB, type MetricType } from 'web-vitals';
import type { Instrumentation } from '../instrumentation.ts';

export const vitals: Instrumentation = (emit, _options, { views }) => {
  const seen = new Set<string>();
  let live = true;
  const report = ({ id, name, value, rating, navigationType, navigationURL }: MetricType): void => {
    if (!live || seen.has(id)) return;
    seen.add(id);
    const view = [...views].reverse().find(({ url }) => url === navigationURL) ?? views[0];
    emit(
      'vital',
      { name, value: Number(value.toFixed(4)), rating, navigation: navigationType },
      view,
    );
  };
  const options = { reportSoftNavs: true };
  onCLS(report, options);
  onFCP(report, options);
  onINP(report, options);
  onLCP(report, options);
  onTTFB(report, options);
  return () => {
    live = false;
  };
};

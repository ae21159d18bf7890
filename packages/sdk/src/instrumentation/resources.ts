/** Images, scripts, styles and media that failed to load, as errors of kind `resource`. */
import type { Instrumentation } from '../instrumentation.ts';
import { listen } from '../lib/listen.ts';

export const resources: Instrumentation = (emit) =>
  listen(globalThis, 'error', ({ target }) => {
    const { tagName, src, href } = target as HTMLImageElement & HTMLLinkElement;
    const source = src || href;
    if (source) emit('error', { kind: 'resource', message: `${tagName} failed to load`, source });
  });

/** Images, scripts, styles and media that failed to load, as errors of kind `resource`. */
import type { Instrumentation } from '../instrumentation.ts';

export const resources: Instrumentation = (emit, _options, { listen }) => {
  listen('error', ({ target }) => {
    const { tagName, href, src = href } = target as HTMLImageElement & HTMLLinkElement;
    if (src) emit('error', { kind: 'resource', message: `${tagName} failed to load`, source: src });
  });
};

/** Images, scripts, styles and media that failed to load, as errors of kind `resource`. */
import type { Instrumentation } from '../instrumentation.ts';

type LoadError = Event & { readonly target: HTMLImageElement & HTMLLinkElement };

export const resources: Instrumentation = (emit, { listen }) => {
  listen<LoadError>('error', ({ target: { tagName, href, src = href } }) => {
    if (src) emit('error', { kind: 'resource', message: `${tagName} failed`, source: src });
  });
};

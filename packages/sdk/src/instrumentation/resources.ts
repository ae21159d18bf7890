/**
 * What the page could not load, as errors: images, scripts, styles and media that failed (kind
 * `resource`), and what its Content Security Policy blocked (kind `csp`, the directive as message).
 */
import type { Instrumentation } from '../instrumentation.ts';

/** An error of an element, or a violation. */
interface Failure extends Event {
  readonly target: EventTarget & {
    tagName?: string;
    /** In SVG an object: https://developer.mozilla.org/docs/Web/API/SVGAElement/href */
    href?: string & { baseVal?: string };
    src?: string;
  };
  readonly effectiveDirective?: string;
  readonly blockedURI?: string;
}

export const resources: Instrumentation = (_emit, page) => {
  const look = ({
    target: { tagName, href, src = href?.baseVal ?? href },
    effectiveDirective,
    blockedURI = src,
  }: Failure): void =>
    page.report({
      kind: effectiveDirective ? 'csp' : 'resource',
      message: effectiveDirective ?? (tagName && src && `${tagName} failed`),
      filename: blockedURI,
    });

  // Last what may not be there: where the page is still prerendered, `errors` has yet to begin.
  page.listen('error securitypolicyviolation', look);
  for (const failure of page.early) look(failure as Failure);
};

/**
 * What the page could not load, as errors: images, scripts, styles and media that failed (kind
 * `resource`), and what its Content Security Policy blocked (kind `csp`, the directive as message).
 */
import type { Instrumentation } from '../instrumentation.ts';

/** An error of an element, or a violation. */
interface Failure extends Event {
  readonly target: EventTarget & { tagName?: string; href?: string; src?: string };
  readonly effectiveDirective?: string;
  readonly blockedURI?: string;
}

export const resources: Instrumentation = (_emit, { listen, report, early }) => {
  const look = ({
    target: { tagName, href, src = href },
    effectiveDirective,
    blockedURI = src,
  }: Failure): void =>
    report({
      kind: effectiveDirective ? 'csp' : 'resource',
      message: effectiveDirective ?? (src && `${tagName} failed`),
      filename: blockedURI,
    });

  for (const failure of early) look(failure as Failure);
  listen('error securitypolicyviolation', look);
};

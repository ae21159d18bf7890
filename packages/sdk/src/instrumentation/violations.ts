/** Violations of the page's Content Security Policy, as errors of kind `csp`. */
import type { Instrumentation } from '../instrumentation.ts';
import { listen } from '../lib/listen.ts';

export const violations: Instrumentation = (emit) =>
  listen<SecurityPolicyViolationEvent>(document, 'securitypolicyviolation', (event) => {
    emit('error', {
      kind: 'csp',
      message: `${event.effectiveDirective} blocked ${event.blockedURI}`,
      source: event.sourceFile,
      line: event.lineNumber,
      column: event.columnNumber,
    });
  });

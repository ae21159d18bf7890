/** Violations of the page's Content Security Policy, as errors of kind `csp`. */
import type { Instrumentation } from '../instrumentation.ts';

export const violations: Instrumentation = (emit, _options, { listen }) => {
  listen<SecurityPolicyViolationEvent>('securitypolicyviolation', (event) => {
    emit('error', {
      kind: 'csp',
      message: `${event.effectiveDirective} blocked ${event.blockedURI}`,
      source: event.sourceFile,
      line: event.lineNumber,
    });
  });
};

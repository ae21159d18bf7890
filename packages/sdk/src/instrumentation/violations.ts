/**
 * Violations of the page's Content Security Policy, as errors of kind `csp`: `message` is the
 * directive, `source` what it blocked.
 */
import type { Instrumentation } from '../instrumentation.ts';

export const violations: Instrumentation = (emit, { listen }) => {
  listen<SecurityPolicyViolationEvent>(
    'securitypolicyviolation',
    ({ effectiveDirective: message, blockedURI: source }) =>
      emit('error', { kind: 'csp', message, source }),
  );
};

/**
 * Uncaught errors and unhandled rejections, in groups: what repeats within `groupMs` is one event
 * with a `count`. Other instrumentations `report` theirs.
 *
 * `noise` is the sign of an error that the page's owner cannot mend: it comes from a browser
 * extension, or from a script of another origin that hides it.
 */
import type { Instrumentation, ReportedError } from '../instrumentation.ts';
import { listen } from '../lib/listen.ts';
import type { EventRecord } from '../options.ts';

/** Of one page view; a page in a bad loop has nothing new to say after that. */
export const groupsMax = 20;
export const groupMs = 1_000;
const stackCharsMax = 2_000;

export const errors: Instrumentation = (emit, page) => {
  let groups: Record<string, EventRecord & { count: number }> = {};
  let room = groupsMax;

  const send = (ended?: boolean): void => {
    for (const key in groups) emit('error', groups[key]);
    groups = {};
    if (ended) room = groupsMax;
  };

  page.report = ({
    kind,
    filename: source,
    lineno: line,
    colno: column,
    reason,
    error = reason,
    message = reason && String(reason),
  }: ReportedError): void => {
    const key = String([message, source, line, column]);
    const group = groups[key];
    if (group) group.count++;
    // A rejection without a reason has nothing to say, and a failed resource is not ours.
    else if (message && room-- > 0) {
      const stack = error?.stack?.slice(0, stackCharsMax);
      groups[key] = {
        stack,
        message,
        column,
        line,
        kind,
        source,
        noise: /^script error|extension:\/\//i.exec(message + stack + source)?.[0],
        count: 1,
      };
      setTimeout(send, groupMs);
    }
  };

  page.early = [];
  listen('securitypolicyviolation error', (event) => {
    if (!page.early[groupsMax - 1]) page.early.push(event);
  });
  page.onLeave(send);
  listen<Event & ReportedError>('unhandledrejection error', page.report);
};

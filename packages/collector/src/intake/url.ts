import { cleaned, cut } from './text.ts';

/** What is known of a URL without the event that it came in. */
export interface UrlFacts {
  /** Without `user:password@`. */
  readonly full: string;
  /** Lower case, without the port; undefined for a path. */
  readonly domain: string | undefined;
  /** Host and port, lower case, without `www.`; empty for a path. */
  readonly host: string;
  /** Percent-encoded; empty where there is none, as in `about:blank`. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly search: string;
  /** Of the last part of the path, lower case, without the dot; empty where there is none. */
  readonly extension: string;
  /** Parameters that name a campaign, with the key as JSON. */
  readonly campaign: readonly (readonly [name: string, value: string])[];
}

/** What is read of a URL by the standard. */
interface UrlParts {
  readonly full: string;
  readonly hostname: string;
  /** With the port. */
  readonly host: string;
  readonly pathname: string;
  readonly search: string;
}

const ENDING = /\.([a-z0-9]{1,10})$/iu;
const CAMPAIGN_KEYS_MAX = 16;
/** Host of the paths that servers log. */
const NOWHERE = 'http://nowhere.invalid';

/** Of a URL or path; of both no more than `valueBytesMax` is kept. */
export function readUrl(given: string, valueBytesMax: number): UrlFacts {
  const url = plainParts(given) ?? standardParts(given);
  const pathname = url?.pathname ?? '';
  const extension = ENDING.exec(url?.pathname ?? given.replace(/[?#].*$/su, ''))?.[1] ?? '';
  return {
    full: url?.full ?? given,
    domain: url?.hostname || undefined,
    host: withoutWww(url?.host ?? ''),
    path: pathname.startsWith('/') ? cut(pathname, valueBytesMax) : '',
    search: url?.search ?? '',
    // `/v1.5` has none.
    extension: /[a-z]/iu.test(extension) ? extension.toLowerCase() : '',
    campaign: given.includes('utm_') && url !== undefined ? campaignOf(url.search) : [],
  };
}

/**
 * Nearly every URL: what the standard changes nothing of, a host in lower case that is no number
 * and no punycode, a path without escapes. A tenth of the time of the standard's parser.
 */
const PLAIN =
  /^(?:https?:\/\/(?!.{0,253}xn--)((?:[a-z\d-]+\.)*[a-z][a-z\d-]*))?(\/(?:[\w~!$&'()*+,;=:@-]|\/(?!\.)|(?<!\/)\.)*)(\?[\w~!$&()*+,;=:@/.?%-]+)?(?:#[!-~]*)?$/u;

/** @internal For the test that holds it against the standard. */
export function plainParts(given: string): UrlParts | undefined {
  const found = PLAIN.exec(given);
  if (found === null) return undefined;
  const [, host = '', pathname = '', search = ''] = found;
  return { full: given, hostname: host, host, pathname, search };
}

/** @internal As above. */
export function standardParts(given: string): UrlParts | undefined {
  const relative = given.startsWith('/');
  // Not as a base, since the `//x` of a log is a path and no host.
  const url = URL.parse(relative ? NOWHERE + given : given);
  if (url === null) return undefined;
  const { pathname, search } = url;
  if (relative) return { full: given, hostname: '', host: '', pathname, search };
  const { hostname, host } = url;
  const full = url.username === '' && url.password === '' ? given : plain(url);
  return { full, hostname, host, pathname, search };
}

/** Without user and password, which are nobody's business here. */
function plain(url: URL): string {
  url.username = '';
  url.password = '';
  return url.href;
}

function campaignOf(search: string): UrlFacts['campaign'] {
  return [...new URLSearchParams(search)]
    .filter(([name, value]) => /^utm_\w{1,32}$/u.test(name) && value !== '')
    .slice(0, CAMPAIGN_KEYS_MAX)
    .map(([name, value]) => [name, cleaned(value)]);
}

export function withoutWww(host: string): string {
  return host.startsWith('www.') ? host.slice(4) : host;
}

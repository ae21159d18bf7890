import { cleaned, cut, quote } from './text.ts';

/** What is known of a URL without the event that it came in. */
export interface UrlFacts {
  /** `url.full`, `url.domain`, `url.path` as members of JSON, each after a comma. */
  readonly members: string;
  /** Without `user:password@`. */
  readonly full: string;
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

const ENDING = /\.([a-z0-9]{1,10})$/iu;
const CAMPAIGN_KEYS_MAX = 16;
/** Host of the paths that servers log. */
const NOWHERE = 'http://nowhere.invalid';

/** Of a URL or path; of both no more than `valueBytesMax` is kept. */
export function readUrl(given: string, valueBytesMax: number): UrlFacts {
  const relative = given.startsWith('/');
  // Not as a base, since the `//x` of a log is a path and no host.
  const url = URL.parse(relative ? NOWHERE + given : given);
  const path = url?.pathname.startsWith('/') === true ? cut(url.pathname, valueBytesMax) : '';
  const domain = relative ? '' : (url?.hostname ?? '');
  const full = url === null || (url.username === '' && url.password === '') ? given : plain(url);
  const extension = ENDING.exec(url?.pathname ?? given.replace(/[?#].*$/su, ''))?.[1] ?? '';
  return {
    members:
      `,"url.full":${quote(full)}` +
      (domain === '' ? '' : `,"url.domain":${quote(domain)}`) +
      (path === '' ? '' : `,"url.path":${quote(path)}`),
    full,
    host: relative ? '' : withoutWww(url?.host ?? ''),
    path,
    search: url?.search ?? '',
    // `/v1.5` has none.
    extension: /[a-z]/iu.test(extension) ? extension.toLowerCase() : '',
    campaign: given.includes('utm_') && url !== null ? campaignOf(url) : [],
  };
}

/** Without user and password, which are nobody's business here. */
function plain(url: URL): string {
  url.username = '';
  url.password = '';
  return url.href;
}

function campaignOf(url: URL): UrlFacts['campaign'] {
  return [...url.searchParams]
    .filter(([name, value]) => /^utm_\w{1,32}$/u.test(name) && value !== '')
    .slice(0, CAMPAIGN_KEYS_MAX)
    .map(([name, value]) => [name, cleaned(value)]);
}

export function withoutWww(host: string): string {
  return host.startsWith('www.') ? host.slice(4) : host;
}

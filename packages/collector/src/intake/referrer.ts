import { TAGS } from '../event.ts';
import { createBoundedCache } from './bounded-cache.ts';
import { addFacts, addTag, type Draft, type Facts, factsOf } from './draft.ts';
import type { IntakeSettings } from './options.ts';
import { SPAM_MARKS } from './spam-hosts.ts';
import { type UrlFacts, withoutWww } from './url.ts';
import type { WireEvent } from './wire.ts';

interface ReferrerFacts {
  /** Host and port, lower case, without `www.`; empty for what no visitor can have come from. */
  readonly host: string;
  /** The same without the port. */
  readonly hostname: string;
  readonly spam: boolean;
  /** The referrer as it was given, and `referer` where it counts. */
  readonly facts: Facts;
  readonly counted: Facts;
}

const CACHED_MAX = 4096;
const CACHED_LENGTH_MAX = 512;

const REFERRER =
  /^(?:https?|android-app):\/\/(?:[^/?#@]*@)?(?<host>\[[\da-f:.]+\]|[^\s/?#:@[\]<>"'`\\^{}|%]{1,253})(?::(?<port>\d{1,5}))?(?<path>\/[^?#]*)?(?:[?#]|$)/iu;
const DEFAULT_PORTS: ReadonlySet<string> = new Set(['', '80', '443']);

/** Adds where the visitor came from, and marks what nobody followed. */
type AddReferrer = (draft: Draft, wire: WireEvent, page: UrlFacts | undefined) => void;

export function createReferrers(settings: IntakeSettings): AddReferrer {
  const cache = createBoundedCache<ReferrerFacts>(CACHED_MAX, CACHED_LENGTH_MAX);
  const spamHosts: ReadonlySet<string> = new Set(settings.spamHosts.map(plainHost));
  const ownHosts: ReadonlySet<string> = new Set(settings.ownHosts.map(plainHost));

  const read = (given: string): ReferrerFacts => {
    const known = cache.get(given);
    if (known !== undefined) return known;
    const facts = readReferrer(given, spamHosts);
    cache.set(given, facts);
    return facts;
  };

  const isOwn = ({ host, hostname }: ReferrerFacts, page: string | undefined): boolean =>
    host === page || ownHosts.has(host) || ownHosts.has(hostname);

  return (draft, wire, page) => {
    if (wire.referrer === undefined || wire.referrer === '-') return;
    const referrer = read(wire.referrer);
    addFacts(draft, referrer.facts);
    const host = wire.host === undefined ? page?.host : plainHost(wire.host);
    if (referrer.host === '' || isOwn(referrer, host)) return;
    addFacts(draft, referrer.counted);
    if (!referrer.spam) return;
    draft.bot = true;
    addTag(draft, TAGS.referrerSpam);
  };
}

/** A host as hosts are compared, of a host or of the origin that was meant. */
function plainHost(given: string): string {
  const host = given.toLowerCase().replace(/^[a-z]+:\/\//u, '');
  return withoutWww(host.replace(/\/.*$/u, ''));
}

function readReferrer(given: string, spam: ReadonlySet<string>): ReferrerFacts {
  const { host = '', port = '', path = '' } = REFERRER.exec(given)?.groups ?? {};
  const hostname = withoutWww(host.toLowerCase().replace(/\.$/u, ''));
  const full = hostname + (DEFAULT_PORTS.has(port) ? '' : `:${port}`);
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return {
    host: hostname === '' ? '' : full,
    hostname,
    facts: factsOf({ 'http.request.referrer': given }),
    counted: factsOf({ referer: full + path.slice(0, end) }),
    spam: isSpam(hostname, spam),
  };
}

function isSpam(hostname: string, spam: ReadonlySet<string>): boolean {
  if (hostname === '') return false;
  for (let from = 0; from !== -1; from = nextLabel(hostname, from)) {
    if (spam.has(hostname.slice(from))) return true;
  }
  return SPAM_MARKS.test(hostname);
}

/** Where the next part of a host name begins; -1 after the last. */
function nextLabel(hostname: string, from: number): number {
  const dot = hostname.indexOf('.', from);
  return dot === -1 ? -1 : dot + 1;
}

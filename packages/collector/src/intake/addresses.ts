/**
 * Addresses tell visitors apart and are never kept: not under their own keys, not under names that
 * speak of them, and not in the texts of the event that they came with.
 */
import { isIP } from 'node:net';

/** More are not looked for in the event's texts. */
const ADDRESSES_MAX = 8;

/** Whether the name of a key of the application speaks of an address: `RemoteAddr`, `peer_ip`. */
export function speaksOfAddress(key: string): boolean {
  return ADDRESS_WORD.test(key.replace(/([a-z\d])(?=[A-Z])/gu, '$1_'));
}

const ADDRESS_WORD =
  /(?:^|[^a-z])(?:[a-z]*ip(?:s|v[46])?|[a-z]*addr(?:ess(?:es)?)?|[a-z]*forwarded|remote|peer|client|host)(?:$|[^a-z])/iu;

/** An address as it is compared: the first of a list, without port and brackets. */
export function plainAddress(given: string): string {
  if (isIP(given) === 4) return given;
  const first = (given.split(',', 1)[0] ?? '').trim().toLowerCase();
  if (isIP(first) !== 0) return first.startsWith('::ffff:') ? first.slice(7) : first;
  const [, v6, v4] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d+)?$/u.exec(first) ?? [];
  return v6 ?? v4 ?? first;
}

export function isAddress(given: unknown): given is string {
  return typeof given === 'string' && isIP(plainAddress(given)) !== 0;
}

/** `known` and the addresses of `given`, which may be a list of proxies. */
export function withAddresses(known: readonly string[], given: string): readonly string[] {
  return given.split(',').reduce((all, one) => withAddress(all, plainAddress(one)), known);
}

/** `known` and a plain address, if it is one. */
export function withAddress(known: readonly string[], address: string): readonly string[] {
  if (known.length === ADDRESSES_MAX || !identifies(address)) return known;
  return known.length === 0 ? [address] : [...known, address];
}

/** That of the machine itself is nobody's, and stands in the URLs of whoever tries things out. */
export function identifies(address: string): boolean {
  return !address.startsWith('127.') && address !== '::1' && isIP(address) !== 0;
}

/** `text` without these addresses; a longer number that begins like one is none. */
export function withoutAddresses(text: string, addresses: readonly string[]): string {
  let clean = text;
  for (const address of addresses) {
    // Nearly never: the pattern is made only where there is something to take out.
    const spelled = isV6(address) ? clean.toLowerCase() : clean;
    if (spelled.includes(address)) clean = clean.replace(patternOf(address), '-');
  }
  return clean;
}

function patternOf(address: string): RegExp {
  const literal = RegExp.escape(address);
  return isV6(address)
    ? new RegExp(`(?<![\\da-f:])${literal}(?![\\da-f:])`, 'giu')
    : new RegExp(`(?<!\\d|\\d\\.)${literal}(?!\\d|\\.\\d)`, 'gu');
}

/** Of an address, one of the two. */
function isV6(address: string): boolean {
  return address.includes(':');
}

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

/** An address as it is compared: the first of a list, without port and brackets, IPv4 as such. */
export function plainAddress(given: string): string {
  if (isIP(given) === 4) return given;
  return unmapped(bare((given.split(',', 1)[0] ?? '').trim()));
}

export function isAddress(given: unknown): given is string {
  return typeof given === 'string' && isIP(plainAddress(given)) !== 0;
}

/** Whether a value of a key, or any part of it, is an address. */
export function holdsAddress(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsAddress);
  return typeof value === 'string' && (isIP(value) === 4 || addressesIn(value).some(Boolean));
}

/** `known` and the addresses of `given`, as they are written and as they are compared. */
export function withAddresses(known: readonly string[], given: string): readonly string[] {
  if (isIP(given) !== 0) return withWritten(known, given.toLowerCase());
  return addressesIn(given).take(ADDRESSES_MAX).reduce(withWritten, known);
}

function withWritten(known: readonly string[], written: string): readonly string[] {
  const address = unmapped(written);
  if (address === written || isNobodys(address)) return withAddress(known, address);
  // The longer one goes out of texts first.
  return withAddress(withAddress(known, written), address);
}

function withAddress(known: readonly string[], address: string): readonly string[] {
  if (known.length >= ADDRESSES_MAX || isNobodys(address)) return known;
  return known.length === 0 ? [address] : [...known, address];
}

/** Whether an address tells somebody apart. */
export function identifies(address: string): boolean {
  return !isNobodys(address) && isIP(address) !== 0;
}

/** That of the machine itself, which stands in the URLs of whoever tries things out. */
function isNobodys(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/**
 * What stands around addresses in lists, in `Forwarded` (RFC 7239), in URLs and where gRPC, Java
 * (`/192.0.2.1:80`) and Python (`('192.0.2.1', 80)`) write them. Behind another slash are versions.
 */
const AROUND = /^\/|[^\w.:/%-]+\/?|:\/\/|ipv[46]:/iu;
const MAY_HOLD = /\d\.\d+\.\d+\.\d|:[^:]*:/u;

/** The addresses of a text as they are written, without port and brackets. */
function addressesIn(text: string): IteratorObject<string> {
  const parts = MAY_HOLD.test(text) ? text.split(AROUND) : [];
  return parts
    .values()
    .filter((part) => MAY_HOLD.test(part))
    .map((part) => bare(part.split('/', 1)[0] ?? ''))
    .filter((part) => isIP(part) !== 0);
}

function bare(text: string): string {
  const lower = text.toLowerCase();
  const [, v6, v4] = /^(?:\[([\da-f:.]+(?:%[\w.-]+)?)\]|([\d.]+))(?::\d+)?$/u.exec(lower) ?? [];
  return v6 ?? v4 ?? lower;
}

/** IPv4 within IPv6 (RFC 4291, 2.5.5.2), whose last half may be written as hexadecimal numbers. */
const MAPPED = /^(?:0{0,4}:){2,6}ffff:(?:([\d.]+)|([\da-f]{1,4}):([\da-f]{1,4}))$/u;

function unmapped(address: string): string {
  const [, v4, high, low] = MAPPED.exec(address) ?? [];
  if (high === undefined || low === undefined) return v4 ?? address;
  const bytes = Buffer.from(high.padStart(4, '0') + low.padStart(4, '0'), 'hex');
  return bytes.join('.');
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

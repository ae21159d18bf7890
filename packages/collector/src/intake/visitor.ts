import { hash } from 'node:crypto';
import { isIP } from 'node:net';
import { formatDay } from './time.ts';

const MS_PER_DAY = 86_400_000;
/** 132 bits in base64url. */
const HASH_LENGTH = 22;

/** The visitor of an address and agent on the day of `at` (epoch ms). */
type VisitorOf = (address: string, userAgent: string, at: number) => string;

/**
 * Names visitors for one day: a keyed hash of the day, the address and the agent. The key is the
 * salt of the event's day if that is today or yesterday, else, since older salts are destroyed
 * and later ones not yet made, the salt of today. Days are those of UTC.
 *
 * Nothing is remembered from one body to the next: neither addresses nor, under millions of
 * visitors, memory.
 */
export function createVisitors(
  salt: (day: string) => string | Uint8Array,
): (receivedAt: number) => VisitorOf {
  return (receivedAt) => {
    const known = new Map<string, string>();
    return (address, userAgent, at) => {
      const day = Math.floor(at / MS_PER_DAY);
      const identity = `${day}\n${address}\n${userAgent}`;
      const before = known.get(identity);
      if (before !== undefined) return before;
      const age = Math.floor(receivedAt / MS_PER_DAY) - day;
      const key = salt(formatDay(age === 1 ? at : receivedAt));
      const text = typeof key === 'string' ? key : Buffer.from(key).toString('base64');
      const visitor = hash('sha256', `${text}\n${identity}`, 'base64url').slice(0, HASH_LENGTH);
      known.set(identity, visitor);
      return visitor;
    };
  };
}

/** An address as it is compared: the first of a list, without port and brackets. */
export function plainAddress(given: string): string {
  if (isIP(given) === 4) return given;
  const first = (given.split(',', 1)[0] ?? '').trim().toLowerCase();
  if (isIP(first) !== 0) return first.startsWith('::ffff:') ? first.slice(7) : first;
  const [, v6, v4] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d+)?$/u.exec(first) ?? [];
  return v6 ?? v4 ?? first;
}

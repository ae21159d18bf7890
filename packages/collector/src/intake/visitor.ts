import { hash } from 'node:crypto';
import { formatDay } from './time.ts';

const MS_PER_DAY = 86_400_000;
/** 132 bits in base64url. */
const HASH_LENGTH = 22;

/** The visitor of an address and agent on the day of `at` (epoch ms); JSON writes the name as it is. */
type VisitorOf = (address: string, userAgent: string, at: number) => string;

interface Known {
  readonly day: number;
  readonly address: string;
  readonly userAgent: string;
  readonly visitor: string;
}

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
    /** A visitor's events mostly follow each other. */
    let last: Known | undefined;
    const keys = new Map<number, string>();

    const keyOf = (day: number): string => {
      const today = Math.floor(receivedAt / MS_PER_DAY);
      const key = salt(formatDay(today - day === 1 ? day * MS_PER_DAY : receivedAt));
      const text = typeof key === 'string' ? key : Buffer.from(key).toString('base64');
      keys.set(day, text);
      return text;
    };

    return (address, userAgent, at) => {
      const day = Math.floor(at / MS_PER_DAY);
      const isSame = last?.address === address && last.userAgent === userAgent && last.day === day;
      if (last !== undefined && isSame) return last.visitor;
      const identity = `${keys.get(day) ?? keyOf(day)}\n${day}\n${address}\n${userAgent}`;
      const visitor = hash('sha256', identity, 'base64url').slice(0, HASH_LENGTH);
      last = { day, address, userAgent, visitor };
      return visitor;
    };
  };
}

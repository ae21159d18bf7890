/** Bounds of a `RateLimit`. */
export interface RateLimitOptions {
  /** Requests a second that a client may send for ever; 0 switches the limit off. */
  readonly perSecond: number;
  /** Length of a burst, in seconds of the rate. */
  readonly burstS?: number;
  readonly clientsMax?: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * A token bucket for each client. Memory is bounded: the client that was quiet longest goes
 * first, which can only forgive it.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clientsMax: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ perSecond, burstS = 10, clientsMax = 100_000 }: RateLimitOptions) {
    this.#perSecond = perSecond;
    this.#burst = perSecond * burstS;
    this.#clientsMax = clientsMax;
  }

  /** Takes one request of a client; false when it is over its limit. `nowMs` is monotonic. */
  allows(address: string, nowMs: number): boolean {
    if (this.#perSecond === 0) return true;
    const client = network(address);
    const bucket = this.#buckets.get(client) ?? { tokens: this.#burst, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#burst, refilled);
    bucket.atMs = nowMs;
    this.#keepNewest(client, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Takes more of a client that was allowed, also what it does not have yet. */
  charge(address: string, requests: number): void {
    const bucket = this.#buckets.get(network(address));
    if (bucket !== undefined) bucket.tokens -= requests;
  }

  #keepNewest(client: string, bucket: Bucket): void {
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size <= this.#clientsMax) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** One household or host usually has a whole IPv6 /64: that is the client. */
function network(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::');
  const groups = head.split(':');
  const missing = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const full = address.includes('::') ? [...groups, ...Array<string>(missing).fill('0')] : groups;
  return full.slice(0, 4).join(':');
}

/** What the benchmark is made of; everything in it is a function of the seed and of these. */
export interface Size {
  readonly events: number;
  readonly days: number;
  readonly items: number;
  readonly visitors: number;
  readonly seed: number;
}

export const DAY_MS = 86_400_000;

/** The law by which items are drawn: the n-th is as likely as 1/n. `at` in 0..1. */
export function itemAt(at: number, { items }: Pick<Size, 'items'>): string {
  return itemName(Math.floor((items + 1) ** at));
}

/** The most viewed item is the first. */
export function itemName(rank: number): string {
  return `road-network-${rank}`;
}

/** `2026-11-23` */
export function isoDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** Numbers in 0..1, always the same of one seed (https://en.wikipedia.org/wiki/Xorshift). */
export function randomFrom(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b9) ^ 0x85ebca6b) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

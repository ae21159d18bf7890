const DAY_MS = 86_400_000;

/**
 * Epoch ms: the beginning of the first UTC day of those that are kept, so many of them before today;
 * where these are 0, all are kept.
 */
export function firstKept(now: number, days: number): number {
  if (days === 0) return Number.NEGATIVE_INFINITY;
  return (Math.floor(now / DAY_MS) - days) * DAY_MS;
}

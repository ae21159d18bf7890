const DAY_MS = 86_400_000;

/** Epoch ms: the beginning of the first UTC day of those that are kept, so many of them before today. */
export function firstKept(now: number, days: number): number {
  return (Math.floor(now / DAY_MS) - days) * DAY_MS;
}

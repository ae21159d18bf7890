/** The value below which `at` percent of the sorted values lie, between two of them in proportion; null of none. */
export function percentile(sorted: readonly number[], at: number): number | null {
  const rank = (at / 100) * (sorted.length - 1);
  const low = sorted[Math.floor(rank)];
  const high = sorted[Math.ceil(rank)];
  if (low === undefined || high === undefined) return null;
  return low + (high - low) * (rank - Math.floor(rank));
}

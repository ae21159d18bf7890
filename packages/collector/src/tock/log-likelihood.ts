/**
 * Dunning's log-likelihood ratio of two events from how often they came together
 * (https://aclanthology.org/J93-1003): 0 where they are independent, higher the surer it is that
 * they are not. Counts may be fractions.
 */
export function logLikelihoodRatio(
  both: number,
  firstOnly: number,
  secondOnly: number,
  neither: number,
): number {
  const rows = entropy(both + firstOnly, secondOnly + neither);
  const columns = entropy(both + secondOnly, firstOnly + neither);
  const cells = entropy(both, firstOnly, secondOnly, neither);
  // Rounding may leave a little less than nothing.
  return Math.max(0, 2 * (rows + columns - cells));
}

/** Shannon's entropy of counts, times their sum, in nats. */
function entropy(...counts: readonly number[]): number {
  const sum = counts.reduce((a, b) => a + b, 0);
  return xLogX(sum) - counts.reduce((total, count) => total + xLogX(count), 0);
}

function xLogX(x: number): number {
  return x > 0 ? x * Math.log(x) : 0;
}

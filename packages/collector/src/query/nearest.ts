/** The candidate that is fewest edits away from `name`; undefined where all are far. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  return nearestFew(name, candidates)[0];
}

/** What is said to whoever asked for `name`: the nearest of the candidates, else all of them. */
export function hintFor(name: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates);
  return near === undefined ? `there are ${candidates.join(', ')}` : `did you mean ${near}?`;
}

/** The candidates that are a few edits away from `name` and about as near as the nearest; at most three. */
export function nearestFew(name: string, candidates: readonly string[]): readonly string[] {
  return (
    candidates
      .map((candidate) => ({
        candidate,
        edits: editDistance(name.toLowerCase(), candidate.toLowerCase()),
      }))
      .filter(({ candidate, edits }) => edits <= Math.max(2, candidate.length / 2))
      // Another name of the same length is no near one.
      .filter(({ edits }) => edits < name.length)
      .toSorted((a, b) => a.edits - b.edits)
      .filter(({ edits }, _, [first]) => edits <= (first?.edits ?? 0) + 1)
      .slice(0, 3)
      .map(({ candidate }) => candidate)
  );
}

/** Longer names are cut: they come from outside, and the work grows with the product. */
const lengthMax = 64;

/** Letters to put in, leave out, replace or swap with the next: a row at a time. */
export function editDistance(from: string, to: string): number {
  const [a, b] = [from.slice(0, lengthMax), to.slice(0, lengthMax)];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  let before: readonly number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

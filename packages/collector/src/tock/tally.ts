import { compareUtf8 } from '../query/order-rows.ts';

/** Counts by name. */
export class Tally {
  total = 0;
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.total++;
  }

  /** Highest first, ties by name; at most `limit`. */
  top(limit: number): ReadonlyMap<string, number> {
    const sorted = [...this.#counts].toSorted(([a, x], [b, y]) => y - x || compareUtf8(a, b));
    return new Map(sorted.slice(0, limit));
  }
}

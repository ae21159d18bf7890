import { readFileSync } from 'node:fs';

/** Resident memory of another process in MB (Linux). */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Samples of memory, and by how much it grew once everything was warm. */
export class Memory {
  readonly #samples: number[] = [];

  sample(pid: number): void {
    this.#samples.push(residentMb(pid));
  }

  get highestMb(): number {
    return Math.max(...this.#samples);
  }

  /** Median of the last fifth over the median of the second: the first is the warming up. */
  get growthMb(): number {
    const fifth = Math.floor(this.#samples.length / 5);
    if (fifth === 0) return 0;
    const early = median(this.#samples.slice(fifth, 2 * fifth));
    return median(this.#samples.slice(-fifth)) - early;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** A number of slots, given out in the order in which they are asked for, the urgent first. */
export class Slots {
  readonly #all: number;
  #free: number;
  readonly #waiting: { readonly slots: number; readonly start: () => void }[] = [];

  constructor(slots: number) {
    this.#all = slots;
    this.#free = slots;
  }

  /** Nobody has one. */
  get areFree(): boolean {
    return this.#free === this.#all;
  }

  async hold<T>(slots: number, work: () => Promise<T>, isUrgent = false): Promise<T> {
    await new Promise<void>((start) => {
      const waiting = { slots, start };
      if (isUrgent) this.#waiting.unshift(waiting);
      else this.#waiting.push(waiting);
      this.#next();
    });
    try {
      return await work();
    } finally {
      this.#free += slots;
      this.#next();
    }
  }

  #next(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (!first || first.slots > this.#free) return;
      this.#waiting.shift();
      this.#free -= first.slots;
      first.start();
    }
  }
}

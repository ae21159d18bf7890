/**
 * What is being found. Who asks for the same meanwhile shares it, so that a busy page costs one
 * answer at a time.
 */
export class UnderWay<T> {
  readonly #found = new Map<string, Promise<T>>();

  /** What `find` resolves with, or what an earlier one of the same name is about to. */
  share(name: string, find: () => Promise<T>): Promise<T> {
    const earlier = this.#found.get(name);
    if (earlier) return earlier;
    const found = find().finally(() => this.#found.delete(name));
    this.#found.set(name, found);
    return found;
  }
}

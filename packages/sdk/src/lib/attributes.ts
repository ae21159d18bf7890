/**
 * The `data-metronome-…` attributes along an event's path, of each name the nearest:
 * `data-metronome-item="trees"` is `{ item: 'trees' }`. Turns the path round.
 */
export const attributes = (path: EventTarget[]): Record<string, string | undefined> => {
  const found: Record<string, string | undefined> = {};
  // The nearest is last to set it. Safari 15 has no toReversed.
  // oxlint-disable-next-line unicorn/no-array-reverse
  for (const { dataset } of path.reverse() as HTMLElement[]) {
    for (const name in dataset) {
      if (name.startsWith('metronome')) found[name.slice(9).toLowerCase()] = dataset[name];
    }
  }
  return found;
};

/**
 * The `data-metronome-…` attributes along an event's path, of each name the nearest:
 * `data-metronome-item="trees"` is `{ item: 'trees' }`.
 */
export const attributes = (path: readonly EventTarget[]): Record<string, string | undefined> => {
  const found: Record<string, string | undefined> = {};
  // Backwards, so that the nearest is last to set it.
  for (let index = path.length; index--;) {
    const { dataset } = path[index] as HTMLElement;
    for (const name in dataset) {
      if (name.startsWith('metronome')) found[name.slice(9).toLowerCase()] = dataset[name];
    }
  }
  return found;
};

/** `data-metronome-item` of the first element of an event's path that has one. */
export const attributeItem = (path: readonly Element[]): string | undefined =>
  (path as readonly HTMLElement[]).find((node) => node.dataset?.metronomeItem)?.dataset
    .metronomeItem;

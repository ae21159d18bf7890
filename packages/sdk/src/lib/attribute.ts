/** The data attribute of the first element of an event's path that has it. */
export const attribute = (path: readonly EventTarget[], name: string): string | undefined =>
  (path as readonly HTMLElement[]).find((node) => node.dataset?.[name])?.dataset[name];

/**
 * An id of 52 random bits, which names an event or a page view, never a visitor.
 *
 * Not `crypto.randomUUID`, which plain http pages lack. An event is identified by its id together
 * with its time in ms, so that is plenty.
 */
export const newId = (): string => Math.random().toString(36).slice(2);

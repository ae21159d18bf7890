/**
 * An id that is unique in practice: the time in ms and 52 random bits.
 *
 * Not `crypto.randomUUID`, which plain http pages lack. It names an event or a page view, never
 * a visitor.
 */
export const newId = (): string => Date.now().toString(36) + Math.random().toString(36).slice(2);

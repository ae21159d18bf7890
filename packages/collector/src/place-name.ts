/** Where an event was first taken: see `Place`. */
export interface FirstPlace {
  readonly collector: string;
  readonly sequence: number;
}

/** An id that begins with it may be the name of a place. */
export const MARK = '~';
const NAME = /^~([\w-]+)-([1-9]\d{0,14})$/u;

/**
 * The `event.id` of an event that came without one, once it goes through a journal again: the
 * place that it was first taken at. Stores take it for the same event as the one at that place.
 */
export function placeName({ collector, sequence }: FirstPlace): string {
  return `${MARK}${collector}-${sequence}`;
}

/** The place that an `event.id` is the name of; undefined for the id of a client. */
export function readPlaceName(id: string): FirstPlace | undefined {
  if (!id.startsWith(MARK)) return undefined;
  const [, collector, sequence] = NAME.exec(id) ?? [];
  if (collector === undefined) return undefined;
  return { collector, sequence: Number(sequence) };
}

/** A client's id at rest. With another mark before its own it names no place, and stays one of a kind. */
export function clientId(id: string): string {
  return id.startsWith(MARK) ? `${MARK}${id}` : id;
}

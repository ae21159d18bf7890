/** Epoch ms. */
export interface EventTimes {
  /** `@timestamp`. */
  readonly time: number;
  /** `event.ingested`. */
  readonly received: number;
  /** `event.created`. */
  readonly created: number | undefined;
}

const DAY_MS = 86_400_000;

/** Client times from so long before the receipt to so long after it have a day of their own. */
const BEHIND_MAX_MS = 90 * DAY_MS;
const AHEAD_MAX_MS = DAY_MS;

/**
 * The time by whose UTC day stores file an event, and by which it expires: the client's own; that
 * of receipt without one. A clock that is wrong by months or ahead by days must not make days from
 * 1970 to 2106: then it is the corrected time. (An import of old events is not corrected.)
 */
export function filedTime({ time, received, created }: EventTimes): number {
  if (created === undefined) return received;
  const behind = received - created;
  const corrected = created !== time;
  return behind < -AHEAD_MAX_MS || (corrected && behind > BEHIND_MAX_MS) ? time : created;
}

import { TAGS } from '../event.ts';
import { firstKept } from '../first-kept.ts';
import { addLeftover } from './application-keys.ts';
import { type Refusal, REFUSALS } from './refusals.ts';
import { parseTime, readTime } from './time.ts';
import type { WireEvent } from './wire.ts';

/** A clock that is off by less is left alone: it may as well be the network. */
const CLOCK_OFF_MS = 5 * 60_000;
const AHEAD_MAX_MS = 60 * 60_000;

export interface EventTime {
  /** When it happened, corrected, epoch ms. */
  readonly at: number;
  /** The client's own time, with which the event is told from others; undefined without one. */
  readonly created: number | undefined;
  readonly tag: string | undefined;
}

export interface Receipt {
  /** Epoch ms. */
  readonly receivedAt: number;
  /** An import: clocks are not corrected and no event is too old. */
  readonly imported: boolean;
}

/** Reads the times of the events of one body, in their order. */
export function createEventClock(
  { receivedAt, imported }: Receipt,
  maxAgeDays: number,
): (wire: WireEvent, index: number) => EventTime | Refusal {
  let sentOfBody: number | undefined;

  return (wire, index) => {
    const sent = readSent(wire);
    if (index === 0) sentOfBody = sent;
    const created = readTime(wire);
    if (created === undefined) return { at: receivedAt, created, tag: undefined };
    if (Number.isNaN(created)) return REFUSALS.time;
    const offset = imported ? 0 : receivedAt - (sent ?? sentOfBody ?? receivedAt);
    const off = Math.abs(offset) > CLOCK_OFF_MS;
    const at = off ? created + offset : created;
    if (at > receivedAt + AHEAD_MAX_MS) return { at: receivedAt, created, tag: TAGS.clockAhead };
    if (at < 0 || (at < firstKept(receivedAt, maxAgeDays) && !imported)) return REFUSALS.tooOld;
    return { at, created, tag: off ? TAGS.clockCorrected : undefined };
  };
}

/** `sent` is used and not kept, unless it is no time: then it is the application's. */
function readSent(wire: WireEvent): number | undefined {
  if (wire.sent === undefined) return undefined;
  const sent = parseTime(wire.sent);
  if (!Number.isNaN(sent)) return sent;
  addLeftover(wire, 'sent', wire.sent);
  return undefined;
}

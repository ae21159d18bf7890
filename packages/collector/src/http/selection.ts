import { z } from 'zod';
import { MetronomeError } from '../errors.ts';
import type { Selection } from '../event-store.ts';

const text = z.string().min(1).optional();
const parametersSchema = z.strictObject({
  app: text,
  visitor: text,
  item: text,
  from: text,
  to: text,
});

/**
 * Which events a command names. `from` and `to` are days of the zone, both inclusive, or instants
 * such as `2026-11-23T14:00Z`, of which `to` is exclusive.
 *
 * @throws MetronomeError `bad-request` also when nothing is named, which would be everything.
 */
export function parseSelection(parameters: URLSearchParams, timeZone: string): Selection {
  const parsed = parametersSchema.safeParse(Object.fromEntries(parameters));
  if (!parsed.success || parameters.size === 0) {
    const message = 'Say which events: by app, visitor, item, from, to; all given must hold.';
    throw new MetronomeError('bad-request', message, { cause: parsed.error });
  }
  const { app, visitor, item, from, to } = parsed.data;
  const selection: Selection = {
    ...(app === undefined ? {} : { app }),
    ...(visitor === undefined ? {} : { visitor }),
    ...(item === undefined ? {} : { item }),
    ...(from === undefined ? {} : { from: instantOf('from', from, timeZone, 0) }),
    ...(to === undefined ? {} : { to: instantOf('to', to, timeZone, 1) }),
  };
  if ((selection.from ?? -Infinity) >= (selection.to ?? Infinity)) {
    throw new MetronomeError('bad-request', `from, ${from}, is not before to, ${to}.`);
  }
  return selection;
}

/** Epoch ms of an instant, or of the start of a day `daysOn` later. */
function instantOf(name: string, given: string, timeZone: string, daysOn: number): number {
  try {
    return /^\d{4}-\d\d-\d\d$/u.test(given)
      ? Temporal.PlainDate.from(given).add({ days: daysOn }).toZonedDateTime(timeZone)
          .epochMilliseconds
      : Temporal.Instant.from(given).epochMilliseconds;
  } catch (cause) {
    const message = `${name} must be a day such as 2026-11-23 or a time such as 2026-11-23T14:00Z.`;
    throw new MetronomeError('bad-request', message, { cause });
  }
}

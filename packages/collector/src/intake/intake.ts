/**
 * Intake: from the body of a tick to lines for the journal. Pure functions of the body, the
 * client's facts and the options; no clock, no disk, no network.
 *
 *     body.ts        bytes → values, one for each event
 *     wire.ts        value → `WireEvent`: known keys by field, the rest as the application's
 *     access-log.ts  what the names of access logs mean, where an event is a line of one
 *     enrich.ts      `WireEvent` → line: time, place, referrer, sender, messages
 *
 * Everything that repeats from event to event (URLs, referrers, agents) is read once and kept
 * in caches of a fixed size.
 */
import { readBody, type TickBody } from './body.ts';
import { createEnricher } from './enrich.ts';
import { INTAKE_DEFAULTS, type IntakeOptions } from './options.ts';
import type { ClientFacts } from './sender.ts';
import { createWireReader } from './wire.ts';

export type { TickBody } from './body.ts';
export { INTAKE_DEFAULTS, type IntakeOptions, type ItemPattern } from './options.ts';
export type { ClientFacts } from './sender.ts';

export interface Intake {
  /**
   * Gives each accepted event to `keep`, in their order: the JSON text of a `StoredEvent`, without
   * line end. Never throws because of one event: that is refused by its index.
   *
   * @throws MetronomeError `bad-request` when the body cannot be read at all, `unsupported` for a
   * content type that is not read, `too-large` for more events than a body may hold.
   */
  take(body: TickBody, client: ClientFacts, keep: (line: string) => void): Taken;
}

export interface Taken {
  readonly accepted: number;
  readonly rejected: readonly Rejected[];
}

export interface Rejected {
  /** Of the event in its body, from 0; in NDJSON empty lines do not count. */
  readonly index: number;
  /** One of few fixed sentences (`REFUSALS`), without the event's own values. */
  readonly reason: string;
}

/** @throws MetronomeError `config` for an item pattern that cannot be used. */
export function createIntake(options: IntakeOptions): Intake {
  const settings = { ...INTAKE_DEFAULTS, ...options };
  const read = createWireReader(settings.limits);
  const enricherOf = createEnricher(settings);

  return {
    take(body, client, keep) {
      const { values, escapes } = readBody(body, settings.eventsPerBodyMax);
      const enrich = enricherOf(client);
      const rejected: Rejected[] = [];
      values.forEach((value, index) => {
        const wire = read(value, escapes);
        const outcome = 'reason' in wire ? wire : enrich(wire, index);
        if (typeof outcome === 'string') keep(outcome);
        else rejected.push({ index, reason: outcome.reason });
      });
      return { accepted: values.length - rejected.length, rejected };
    },
  };
}

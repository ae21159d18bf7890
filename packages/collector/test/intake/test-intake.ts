import type {
  ClientFacts,
  Intake,
  IntakeOptions,
  Taken,
  TickBody,
} from '../../src/intake/intake.ts';
import { createIntake } from '../../src/intake/intake.ts';

export const NOW: number = Date.parse('2026-11-23T12:00:00Z');

export const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';

export function testIntake(options: Partial<IntakeOptions> = {}): Intake {
  return createIntake({
    salt: (day) => `salt of ${day}`,
    patterns: [{ pattern: '/datasets/:item.:format([^./]+)' }, { pattern: '/datasets/:item' }],
    ownHosts: ['data.example.org'],
    ...options,
  });
}

/** A shipper, unless said otherwise. */
export function client(facts: Partial<ClientFacts> = {}): ClientFacts {
  return {
    receivedAt: NOW,
    ip: '192.0.2.1',
    userAgent: undefined,
    fromBrowser: false,
    privacy: false,
    privileged: false,
    ...facts,
  };
}

/** What an intake makes of a body: lines, and what it refuses. */
export function linesOf(
  intake: Intake,
  body: TickBody,
  facts: ClientFacts,
): { readonly lines: readonly string[]; readonly rejected: Taken['rejected'] } {
  const lines: string[] = [];
  const { accepted, rejected } = intake.take(body, facts, (line) => lines.push(line));
  if (accepted !== lines.length) throw new Error(`${accepted} events are ${lines.length} lines`);
  return { lines, rejected };
}

/** What `take` makes of a body: events at rest as objects, and the reasons of the refused. */
export function take(
  body: unknown,
  facts: Partial<ClientFacts> = {},
  intake: Intake = testIntake(),
): { events: Record<string, unknown>[]; reasons: Record<number, string> } {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = Buffer.from(text);
  const { lines, rejected } = linesOf(
    intake,
    { contentType: 'application/json', bytes },
    client(facts),
  );
  return {
    events: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    reasons: Object.fromEntries(rejected.map(({ index, reason }) => [index, reason])),
  };
}

/** The one event that is made of `event`. */
export function takeOne(
  event: unknown,
  facts: Partial<ClientFacts> = {},
  intake: Intake = testIntake(),
): Record<string, unknown> {
  const { events, reasons } = take(event, facts, intake);
  const [first] = events;
  if (first === undefined) throw new Error(`refused: ${reasons[0]}`);
  return first;
}

import { Hono } from 'hono';
import { z } from 'zod';
import { readArchivedLine } from '../archive/archived-line.ts';
import { type Delivery, DELIVERY_LIMITS } from '../delivery/delivery.ts';
import { MetronomeError } from '../errors.ts';
import type { EventStore } from '../event-store.ts';
import { firstKept } from '../first-kept.ts';
import type { Journal, PlaceRange } from '../journal/journal.ts';
import type { AnswerRules } from '../tock/answer-request.ts';
import { awaitDelivery } from './await-delivery.ts';

export interface RestoreParts {
  readonly journal: Pick<Journal, 'append' | 'collector' | 'last'>;
  readonly delivery: Pick<Delivery, 'status'>;
  readonly store: Pick<EventStore, 'places' | 'refresh'>;
  readonly answerRules: AnswerRules;
  /** Epoch ms. */
  readonly now: () => number;
}

/** What became of the lines of one `POST /restore`; empty ones are passed over. */
export interface Restored {
  readonly appended: number;
  /** Where in the journal, if any were. */
  readonly places?: PlaceRange;
  /** Of days that are not kept any more. */
  readonly expired: number;
  /** Lines that are no events, from 0 on. */
  readonly refused: readonly { readonly index: number; readonly reason: string }[];
}

/** How many events of some places became events of the store. */
export interface RestoreOutcome {
  readonly stored: number;
}

/** So many wait for the store at most before more are appended: the journal has to have room for ticks. */
const WAITING_MAX = DELIVERY_LIMITS.batchEventsMax;

/**
 * `POST /restore` takes lines of an archive or an export and appends them to the journal under the
 * identity that they had. `POST /restore/outcome` takes the places of such and waits for them.
 */
export function restoreRoutes(parts: RestoreParts): Hono {
  const routes = new Hono();
  routes.post('/restore', async (context) =>
    context.json(await restore(parts, (await context.req.text()).split('\n'))),
  );
  routes.post('/restore/outcome', async (context) => {
    const places = placesSchema.safeParse(await context.req.json());
    if (!places.success) throw new MetronomeError('bad-request', 'Send places: first and last.');
    return context.json(await outcome(parts, places.data));
  });
  return routes;
}

const placesSchema = z.array(z.object({ first: z.number(), last: z.number() }));

async function restore(parts: RestoreParts, lines: readonly string[]): Promise<Restored> {
  const { journal, delivery, answerRules, now } = parts;
  const keptFrom = firstKept(now(), answerRules.retentionDays);
  const kept: string[] = [];
  const refused: Restored['refused'][number][] = [];
  let expired = 0;
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') continue;
    const read = readArchivedLine(text);
    if ('reason' in read) refused.push({ index, reason: read.reason });
    else if (read.filedAt < keptFrom) expired += 1;
    else kept.push(read.line);
  }
  if (kept.length === 0) return { appended: 0, expired, refused };
  await awaitDelivery(delivery, (waiting) => waiting < WAITING_MAX);
  const places = await journal.append(kept);
  return { appended: kept.length, places, expired, refused };
}

async function outcome(
  { journal, delivery, store }: RestoreParts,
  places: readonly PlaceRange[],
): Promise<RestoreOutcome> {
  const last = places.reduce((latest, range) => Math.max(latest, range.last), 0);
  await awaitDelivery(delivery, (waiting) => journal.last - waiting >= last);
  await store.refresh();
  const counts = await store.places(journal.collector, places);
  return { stored: counts.reduce((sum, { stored }) => sum + stored, 0) };
}

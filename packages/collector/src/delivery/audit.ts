/**
 * Counts, for each UTC day of receipt, what became of the acknowledged events of one journal:
 * acknowledged = stored + duplicates + rejected + waiting + erased + expired. The left side is
 * the journal's own ledger, the right side the store's: what it holds now by place, and what it
 * tallied in the commits of its cursor.
 */
import type { EventStore, Tally } from '../event-store.ts';
import type { Journal } from '../journal/journal.ts';
import type { Segment } from '../journal/ledger.ts';
import type { RejectLog } from './reject-log.ts';

export interface AuditDay {
  /** UTC day of receipt, `2026-11-23`. */
  readonly day: string;
  readonly acknowledged: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly waiting: number;
  readonly erased: number;
  readonly expired: number;
  /** Each a sentence; empty when everything agrees. */
  readonly differences: readonly string[];
}

export interface Audit {
  readonly collector: string;
  /** Ascending. */
  readonly days: readonly AuditDay[];
  /** Those that belong to no day. */
  readonly differences: readonly string[];
  /** True when there is no difference. */
  readonly agrees: boolean;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

export interface AuditParts {
  readonly journal: Pick<Journal, 'collector' | 'segments'>;
  readonly store: Pick<EventStore, 'tallies' | 'places' | 'refresh'>;
  readonly rejects: Pick<RejectLog, 'list'>;
}

/** Ranges of missing events that are looked for in each segment. */
const MISSING_RANGES_MAX = 20;

/** An erasure that runs meanwhile can move events between the store's answers. */
const TRIES = 3;

/** Works beside the running delivery: what is not tallied yet counts as waiting. */
export async function audit(parts: AuditParts): Promise<Audit> {
  let found = await auditOnce(parts);
  for (let tries = 1; tries < TRIES && !found.agrees; tries++) found = await auditOnce(parts);
  return found;
}

async function auditOnce(parts: AuditParts): Promise<Audit> {
  const { journal, store } = parts;
  const { collector } = journal;
  await store.refresh();
  // Tallies before segments: what is appended in between counts as waiting, never as missing.
  const tallies = new Map((await store.tallies(collector)).map((tally) => [tally.segment, tally]));
  const held = await heldBy(parts, [...tallies.values()]);
  const logged = await loggedIn(parts, tallies);
  const days = new Map<string, AuditDay>();
  for (const segment of journal.segments()) {
    const tally = tallies.get(segment.segment) ?? noTally(segment.segment);
    tallies.delete(segment.segment);
    const stored = held.get(segment.segment) ?? 0;
    const differences = [
      ...tallyDifferences(segment, tally, logged.get(segment.segment) ?? 0),
      ...(await storeDifferences(parts, tally, stored)),
    ];
    const day = new Date(segment.created).toISOString().slice(0, 10);
    days.set(day, add(days.get(day) ?? emptyDay(day), segment, tally, stored, differences));
  }
  const differences = [...tallies.keys()].map(
    (segment) => `The store has events of a segment ${segment}, which the journal does not know.`,
  );
  const rows = [...days.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1));
  const agrees = differences.length === 0 && rows.every((row) => row.differences.length === 0);
  return { collector, days: rows, differences, agrees };
}

/** What the store holds now of each tallied segment. */
async function heldBy(
  { journal, store }: AuditParts,
  tallies: readonly Tally[],
): Promise<Map<number, number>> {
  const ranges = tallies.map(({ segment, last }) => ({ first: segment, last }));
  const counts = await store.places(journal.collector, ranges);
  return new Map(counts.map(({ first, stored }) => [first, stored]));
}

/** Logged rejects of each segment that the store has passed. */
async function loggedIn(
  { journal, rejects }: AuditParts,
  tallies: ReadonlyMap<number, Tally>,
): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const entry of await rejects.list()) {
    const { collector, segment, sequence, last = sequence } = entry;
    if (collector !== journal.collector || sequence > (tallies.get(segment)?.last ?? 0)) continue;
    counts.set(segment, (counts.get(segment) ?? 0) + last - sequence + 1);
  }
  return counts;
}

function tallyDifferences(segment: Segment, tally: Tally, logged: number): string[] {
  const differences: string[] = [];
  const delivered = tally.last - tally.segment + 1;
  const counted = tally.stored + tally.duplicates + tally.rejected;
  if (counted !== delivered) {
    differences.push(
      `Of the ${delivered} delivered events from ${tally.segment} to ${tally.last} the store tallied ${counted}.`,
    );
  }
  if (tally.last > segment.last) {
    differences.push(
      `The store has events up to ${tally.last} of the segment ${segment.segment}, which ends at ${segment.last}.`,
    );
  }
  if (logged < tally.rejected) {
    differences.push(
      `${tally.rejected - logged} rejects of the events from ${tally.segment} to ${tally.last} are not in the reject log.`,
    );
  }
  return differences;
}

async function storeDifferences(
  parts: AuditParts,
  tally: Tally,
  stored: number,
): Promise<string[]> {
  const expected = tally.stored - tally.erased - tally.expired;
  if (stored === expected) return [];
  const where = `of the events from ${tally.segment} to ${tally.last}`;
  if (stored > expected) return [`The store holds ${stored - expected} ${where} too many.`];
  const ranges = expected === tally.last - tally.segment + 1 ? await missing(parts, tally) : [];
  const names = ranges.map(({ first, last }) =>
    first === last ? `${first}` : `${first} to ${last}`,
  );
  const named = names.length === 0 ? '' : `: ${names.join(', ')}`;
  return [`The store has lost ${expected - stored} ${where}${named}.`];
}

/**
 * Which sequences the store lacks of a segment that it had whole, by halves. Empty when they are
 * scattered over too many ranges.
 */
async function missing({ journal, store }: AuditParts, tally: Tally): Promise<Range[]> {
  const found: Range[] = [];
  let open: Range[] = [{ first: tally.segment, last: tally.last }];
  while (open.length > 0) {
    if (open.length + found.length > MISSING_RANGES_MAX) return [];
    const counts = await store.places(journal.collector, open);
    found.push(...counts.filter(({ stored }) => stored === 0));
    open = counts
      .filter(({ first, last, stored }) => stored > 0 && stored < last - first + 1)
      .flatMap(halves);
  }
  return join(found.toSorted((a, b) => a.first - b.first));
}

function halves({ first, last }: Range): Range[] {
  const middle = Math.floor((first + last) / 2);
  return [
    { first, last: middle },
    { first: middle + 1, last },
  ];
}

/** Neighbours become one. */
function join(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const { first, last } of ranges) {
    const before = joined.at(-1);
    if (before !== undefined && before.last + 1 === first) {
      joined.splice(-1, 1, { first: before.first, last });
    } else joined.push({ first, last });
  }
  return joined;
}

function noTally(segment: number): Tally {
  const counts = { stored: 0, duplicates: 0, rejected: 0, erased: 0, expired: 0 };
  return { segment, last: segment - 1, ...counts };
}

function emptyDay(day: string): AuditDay {
  const counts = { stored: 0, duplicates: 0, rejected: 0, waiting: 0, erased: 0, expired: 0 };
  return { day, acknowledged: 0, ...counts, differences: [] };
}

function add(
  day: AuditDay,
  segment: Segment,
  tally: Tally,
  stored: number,
  differences: readonly string[],
): AuditDay {
  return {
    day: day.day,
    acknowledged: day.acknowledged + segment.last - segment.segment + 1,
    stored: day.stored + stored,
    duplicates: day.duplicates + tally.duplicates,
    rejected: day.rejected + tally.rejected,
    waiting: day.waiting + segment.last - tally.last,
    erased: day.erased + tally.erased,
    expired: day.expired + tally.expired,
    differences: [...day.differences, ...differences],
  };
}

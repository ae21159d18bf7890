import { setTimeout as delay } from 'node:timers/promises';
import type { Book } from './book.ts';
import type { Load } from './load.ts';
import type { Moments } from './moments.ts';
import type { Seat } from './seat.ts';
import {
  type AuditCounts,
  auditBy,
  compare,
  type Comparison,
  countByTocks,
  sumOf,
} from './verify.ts';
import type { Victim } from './victim.ts';

export interface RunFacts {
  readonly title: string;
  readonly kills?: number;
  /** Lives that ended by SIGTERM, as they should. */
  readonly stops?: number;
  /** Kills after which the end of the journal was torn. */
  readonly tornEnds?: number;
  readonly moments?: Moments;
  /** What else was done to it, in words. */
  readonly notes?: readonly string[];
}

export interface RunReport extends RunFacts {
  /** Over all days and collectors. */
  readonly counts: AuditCounts;
  readonly comparison: Comparison;
  readonly posts: number;
  readonly unanswered: number;
  readonly refused: number;
  /** Events in 202s, each time. */
  readonly acknowledged: number;
  /** Empty when every promise was kept. */
  readonly violations: readonly string[];
}

export interface Closing {
  /** Of one store; a collector is started on each that has none running. */
  readonly seats: readonly Seat[];
  readonly name: string;
  readonly book: Book;
  readonly load: Load;
  readonly facts: RunFacts;
}

const DRAIN_PATIENCE_MS = 300_000;
const POLL_MS = 200;

/** Lets the clients finish, waits until nothing waits, and compares all with all. */
export async function closeAndVerify(closing: Closing): Promise<RunReport> {
  const { seats, name, book, load, facts } = closing;
  const [first] = seats;
  if (first === undefined) throw new Error('There is no collector');
  const collectors = seats.map((seat) =>
    seat.victim?.ended === false ? seat.victim : seat.start(),
  );
  await Promise.all(collectors.map(({ listening }) => listening));
  await load.stop();
  for (const { url } of seats) await untilNothingWaits(url);
  const audits = [];
  for (const { env } of seats) audits.push(await auditBy(env));
  const counts = sumOf(audits.map((each) => each.counts));
  const views = await countByTocks(first.url, name);
  const ends = await Promise.all(collectors.map(endOf));
  const comparison = await compare(first.env, name, book);
  const violations = [
    ...book.violations,
    ...audits.flatMap(({ differences }) => differences),
    ...comparison.violations,
    ...disagreements(book, counts, comparison, views),
    ...ends.flat(),
  ];
  const { posts, unanswered, refused, acknowledged } = book;
  return { ...facts, counts, comparison, posts, unanswered, refused, acknowledged, violations };
}

/** Stops a collector; what is wrong with how it ends, in sentences. */
export async function endOf(collector: Victim): Promise<string[]> {
  if (collector.died) return [`The collector ended:\n${collector.output.join('\n')}`];
  const code = await collector.stop();
  return code === 0 ? [] : [`The collector ended with ${code} when told to stop.`];
}

export async function untilNothingWaits(url: string): Promise<void> {
  const deadline = Date.now() + DRAIN_PATIENCE_MS;
  for (;;) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    if (/^metronome_waiting_events 0$/mu.test(metrics)) return;
    if (Date.now() > deadline) {
      const waiting = /^metronome_waiting_events .*$/mu.exec(metrics)?.[0];
      throw new Error(`Events still wait after ${DRAIN_PATIENCE_MS / 1000} s: ${waiting}`);
    }
    await delay(POLL_MS);
  }
}

function disagreements(
  { acknowledged }: Book,
  counts: AuditCounts,
  { stored }: Comparison,
  views: number,
): string[] {
  const found: string[] = [];
  if (counts.waiting > 0) found.push(`${counts.waiting} events still wait.`);
  if (counts.rejected > 0) found.push(`${counts.rejected} good events were rejected.`);
  if (counts.acknowledged < acknowledged) {
    found.push(
      `202s were given for ${acknowledged} events, the journal knows ${counts.acknowledged}.`,
    );
  }
  if (counts.stored !== stored) {
    found.push(`audit counts ${counts.stored} stored events, their export ${stored}.`);
  }
  if (views !== stored) found.push(`The tocks count ${views} views of ${stored} stored events.`);
  return found;
}

/** A report for people; the last line says whether all promises were kept. */
export function textOf({ comparison, counts, moments, notes = [], ...report }: RunReport): string {
  const untold = counts.acknowledged - report.acknowledged;
  const lines = [
    ...(report.kills === undefined
      ? []
      : [
          `${report.kills} SIGKILLs, ${report.stops ?? 0} SIGTERMs, ${report.tornEnds ?? 0} torn ends`,
        ]),
    ...(moments === undefined
      ? []
      : [
          `  ${moments.start} at the start, ${moments.intake} with requests under way, ${moments.delivery} with a batch under way into the store, ${moments.roll} within 20 ms of a segment roll`,
        ]),
    ...notes,
    `${report.posts} requests: ${report.unanswered} without an answer, ${report.refused} answered 503`,
    `${report.acknowledged} events promised by 202s; ${untold} more in the journal, whose answer never came`,
    `audit: ${counts.acknowledged} acknowledged = ${counts.stored} stored + ${counts.duplicates} duplicate + ${counts.rejected} rejected + ${counts.waiting} waiting`,
    `store: ${comparison.stored} events, ${comparison.lost} lost, ${comparison.double} double, ${comparison.unknown} unknown`,
    ...report.violations.slice(0, 30).map((violation) => `VIOLATION ${violation}`),
    report.violations.length === 0
      ? 'every promise kept'
      : `${report.violations.length} violations`,
  ];
  return [report.title, ...lines.map((line) => `  ${line}`)].join('\n');
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Book } from './book.ts';
import type { Load } from './load.ts';
import type { Moments } from './moments.ts';
import {
  auditBy,
  type AuditResult,
  compare,
  type Comparison,
  countByTocks,
  type Environment,
} from './verify.ts';
import { startVictim, type Victim } from './victim.ts';

export interface RunFacts {
  readonly title: string;
  readonly kills?: number;
  readonly moments?: Moments;
  /** What else was done to it, in words. */
  readonly notes?: readonly string[];
}

export interface RunReport extends RunFacts {
  readonly counts: AuditResult['counts'];
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
  readonly env: Environment;
  readonly url: string;
  readonly name: string;
  readonly book: Book;
  readonly load: Load;
  readonly facts: RunFacts;
  /** A collector that still runs; one is started where none does. */
  readonly running?: Victim;
}

const DRAIN_PATIENCE_MS = 300_000;
const POLL_MS = 200;

/** Lets the clients finish, waits until nothing waits, and compares all with all. */
export async function closeAndVerify(closing: Closing): Promise<RunReport> {
  const { env, url, name, book, load, facts } = closing;
  const collector = closing.running ?? startVictim(env);
  try {
    await collector.listening;
    await load.stop();
    await untilNothingWaits(url);
    const audited = await auditBy(env);
    const views = await countByTocks(url, name);
    if (collector.died) throw new Error(`The collector ended:\n${collector.output.join('\n')}`);
    const code = await collector.stop();
    const comparison = await compare(env, name, book);
    const violations = [
      ...book.violations,
      ...audited.differences,
      ...comparison.violations,
      ...disagreements(book, audited.counts, comparison, views),
      ...(code === 0 ? [] : [`The collector ended with ${code} when told to stop.`]),
    ];
    const { posts, unanswered, refused, acknowledged } = book;
    const { counts } = audited;
    return { ...facts, counts, comparison, posts, unanswered, refused, acknowledged, violations };
  } finally {
    await collector.kill();
  }
}

async function untilNothingWaits(url: string): Promise<void> {
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
  counts: AuditResult['counts'],
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
    ...(report.kills === undefined ? [] : [`${report.kills} SIGKILLs`]),
    ...(moments === undefined
      ? []
      : [
          `  ${moments.start} at the start, ${moments.intake} with requests under way, ${moments.delivery} with a batch under way into the store, ${moments.roll} in a segment roll`,
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

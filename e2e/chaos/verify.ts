import { setTimeout as delay } from 'node:timers/promises';
import type { AuditDay } from '../../packages/collector/src/delivery/audit.ts';
import { openStore } from '../../packages/collector/src/store/open-store.ts';
import { readConfig } from '../../packages/collector/src/config.ts';
import { runMetronome } from '../collector-process.ts';
import type { Book } from './book.ts';
import { ITEMS } from './load.ts';

export type Environment = Readonly<Record<string, string>>;

export type AuditCounts = Omit<AuditDay, 'day' | 'differences'>;

export interface AuditResult {
  /** Over all days. */
  readonly counts: AuditCounts;
  /** Each a sentence. */
  readonly differences: readonly string[];
}

/** `metronome audit`, as an operator runs it. */
export async function auditBy(env: Environment): Promise<AuditResult> {
  const { code, stdout, stderr } = await runMetronome(['audit', '--json'], env);
  if (stderr !== '' || stdout === '') throw new Error(`audit ended with ${code}: ${stderr}`);
  const { days, differences, agrees }: AuditAnswer = JSON.parse(stdout);
  const named = [...days.flatMap((day) => day.differences), ...differences];
  if ((code === 0) !== agrees || agrees !== (named.length === 0)) {
    named.push(`audit exits with ${code}, agrees is ${agrees}, differences: ${named.length}.`);
  }
  const counts = sumOf(days);
  const { acknowledged, ...parts } = counts;
  if (acknowledged !== Object.values(parts).reduce((total, part) => total + part, 0)) {
    named.push(`audit's counts do not add up: ${JSON.stringify(counts)}.`);
  }
  return { counts, differences: named };
}

export function sumOf(all: readonly AuditCounts[]): AuditCounts {
  const sum = (name: keyof AuditCounts): number =>
    all.reduce((total, counts) => total + counts[name], 0);
  return {
    acknowledged: sum('acknowledged'),
    stored: sum('stored'),
    duplicates: sum('duplicates'),
    rejected: sum('rejected'),
    waiting: sum('waiting'),
    erased: sum('erased'),
    expired: sum('expired'),
  };
}

interface AuditAnswer {
  readonly days: readonly AuditDay[];
  readonly differences: readonly string[];
  readonly agrees: boolean;
}

export interface Comparison {
  /** Events in the store. */
  readonly stored: number;
  /** Promised, and not there. */
  readonly lost: number;
  /** There more than once. */
  readonly double: number;
  /** There, and never sent. */
  readonly unknown: number;
  /** Each a sentence; the first few of a kind. */
  readonly violations: readonly string[];
}

const NAMED_MAX = 5;

/**
 * Reads every stored event back and compares it with the book, event by event. The collector must
 * not run: the store is opened here.
 */
export async function compare(env: Environment, name: string, book: Book): Promise<Comparison> {
  const found = await countBySerial(env, name, book.events);
  const violations: string[] = [];
  const kinds = { lost: 0, double: 0, unknown: found.unknown };
  const note = (kind: keyof typeof kinds, serial: number): void => {
    kinds[kind] += 1;
    if (kinds[kind] <= NAMED_MAX) violations.push(`Event ${serial} is ${kind}.`);
  };
  for (let serial = 0; serial < book.events; serial++) {
    const count = found.counts[serial] ?? 0;
    const fate = book.fateOf(serial);
    if (count > 1) note('double', serial);
    if (count === 0 && fate === 'once') note('lost', serial);
  }
  if (found.unknown > 0) violations.push(`${found.unknown} stored events were never sent.`);
  return { ...kinds, stored: found.stored, violations };
}

async function countBySerial(
  env: Environment,
  name: string,
  events: number,
): Promise<{ counts: Uint8Array; stored: number; unknown: number }> {
  const { settings } = await readConfig(env);
  const store = openStore(settings);
  const counts = new Uint8Array(events);
  let stored = 0;
  let unknown = 0;
  try {
    for await (const event of store.export({ app: 'default' })) {
      stored += 1;
      const { labels } = event;
      const label =
        typeof labels === 'object' && labels !== null && 'serial' in labels ? labels.serial : '';
      const [run, serial] = String(label).split(':');
      const index = run === name ? Number(serial) : -1;
      if (index >= 0 && index < events) counts[index] = (counts[index] ?? 0) + 1;
      else unknown += 1;
    }
  } finally {
    await store.close();
  }
  return { counts, stored, unknown };
}

const DAY_MS = 86_400_000;

const BUSY_TRIES_MAX = 30;

/** What a client does that is told to try again: an Elasticsearch that has just started is busy. */
async function tockAt(url: string): Promise<{ readonly views: Record<string, number> }> {
  for (let tries = 1; ; tries++) {
    const response = await fetch(url);
    const text = await response.text();
    if (response.status === 200) return JSON.parse(text);
    if (response.status !== 503 || tries === BUSY_TRIES_MAX) {
      throw new Error(`A tock was answered with ${response.status}: ${text}`);
    }
    await delay(1000);
  }
}

/** The views of every item as `GET /tock/ITEM.json` answers them, summed: a count by queries. */
export async function countByTocks(url: string, name: string): Promise<number> {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const period = `from=${day(Date.now() - 10 * DAY_MS)}&to=${day(Date.now() + 2 * DAY_MS)}`;
  let views = 0;
  for (let item = 0; item < ITEMS; item++) {
    const tock = await tockAt(`${url}/tock/${name}-${item}.json?${period}`);
    views += Object.values(tock.views).reduce((total, count) => total + count, 0);
  }
  return views;
}

/** A running collector under hostile requests: it must not fall, fail, lose or grow. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Chance, chanceOf } from '../chaos/chance.ts';
import { auditBy } from '../chaos/verify.ts';
import { startVictim, type Victim } from '../chaos/victim.ts';
import { freePorts } from '../parts/free-ports.ts';
import { RawConnection, type Talk } from './connection.ts';
import { Memory } from './memory.ts';
import { GOOD_TICK, type Hostile, hostileRequest } from './requests.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** Epoch ms; none is sent after it. */
  readonly deadline: number;
  readonly growthMbMax: number;
  readonly say?: (line: string) => void;
  /** Told the port as soon as the collector listens; awaited at the end. */
  readonly beside?: (port: number) => Promise<readonly string[]>;
}

export interface FuzzReport {
  readonly sent: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly connections: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests on connections that the collector closed, as HTTP lets it. */
  readonly unanswered: number;
  readonly accepted: number;
  readonly acknowledged: number;
  readonly highestMb: number;
  readonly growthMb: number;
  readonly violations: readonly string[];
}

const CONNECTIONS = 16;
const PIPELINED_MAX = 24;
const TALKS_PER_CONNECTION = 20;
const SAMPLE_MS = 1_000;
const SAY_EVERY = 50_000;
const VIOLATIONS_MAX = 40;

interface Tally {
  readonly sent: Record<string, number>;
  readonly statuses: Record<string, number>;
  readonly violations: string[];
  requests: number;
  connections: number;
  unanswered: number;
  accepted: number;
  /** Requests when it was last said how many. */
  said: number;
}

function newTally(): Tally {
  const counts = { requests: 0, connections: 0, unanswered: 0, accepted: 0, said: 0 };
  return { sent: {}, statuses: {}, violations: [], ...counts };
}

function violate({ violations }: Tally, sentence: string): void {
  if (violations.length < VIOLATIONS_MAX) violations.push(sentence);
}

export async function fuzzRun(options: FuzzOptions): Promise<FuzzReport> {
  const dataDir = mkdtempSync(join(tmpdir(), 'metronome-fuzz-'));
  const [port = 0] = await freePorts(1);
  const env = {
    METRONOME_DATA_DIR: dataDir,
    METRONOME_PORT: String(port),
    METRONOME_RATE_LIMIT: '0',
    METRONOME_TRUSTED_PROXIES: '127.0.0.1',
  };
  const collector = startVictim(env);
  const memory = new Memory();
  const tally = newTally();
  const sampling = setInterval(() => {
    if (!collector.died) memory.sample(collector.pid);
  }, SAMPLE_MS);
  try {
    await collector.listening;
    const beside = options.beside?.(port);
    const chance = chanceOf(options.seed);
    const clients = Array.from({ length: CONNECTIONS }, () => chance.fork());
    await Promise.all(clients.map((each) => attack(port, each, tally, collector, options)));
    for (const sentence of (await beside) ?? []) violate(tally, sentence);
    clearInterval(sampling);
    const acknowledged = await settle(env, collector, tally);
    const { highestMb, growthMb } = memory;
    if (growthMb > options.growthMbMax) {
      violate(
        tally,
        `Memory grew by ${growthMb.toFixed(0)} MB; ${options.growthMbMax} are allowed.`,
      );
    }
    return { ...tally, acknowledged, highestMb, growthMb };
  } finally {
    clearInterval(sampling);
    await collector.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** What is left must be sound: alive, without faults in its log, journal and store in agreement. */
async function settle(
  env: Readonly<Record<string, string>>,
  collector: Victim,
  tally: Tally,
): Promise<number> {
  if (collector.died) {
    violate(tally, `The collector ended: ${collector.output.join('\n')}`);
    return 0;
  }
  for (const line of collector.faults)
    violate(tally, `A fault in the log: ${line.slice(0, 1_000)}`);
  const { counts, differences } = await auditBy(env);
  for (const difference of differences) violate(tally, difference);
  if (counts.acknowledged < tally.accepted) {
    violate(tally, `202s for ${tally.accepted} events, the journal has ${counts.acknowledged}.`);
  }
  const code = await collector.stop();
  if (code !== 0) violate(tally, `The collector ended with ${code} when told to stop.`);
  return counts.acknowledged;
}

async function attack(
  port: number,
  chance: Chance,
  tally: Tally,
  collector: Victim,
  { requests, deadline, say }: FuzzOptions,
): Promise<void> {
  while (tally.requests < requests && Date.now() < deadline && !collector.died) {
    const connection = new RawConnection(port);
    tally.connections += 1;
    for (let talks = 0; talks < TALKS_PER_CONNECTION && !connection.closed; talks++) {
      const { framed, last } = nextPipeline(chance);
      judge(framed, await connection.talk(framed), tally);
      // On the same connection the parser's answer would overtake those that are still due.
      if (last !== undefined && !connection.closed) {
        judge([last], await connection.provoke(last), tally);
      }
      if (tally.requests >= tally.said + SAY_EVERY) {
        tally.said += SAY_EVERY;
        say?.(`${tally.requests} requests, ${tally.violations.length} violations`);
      }
    }
    connection.close();
  }
}

/** Requests up to the first whose end is unclear; sometimes with a good one among them. */
function nextPipeline(chance: Chance): { framed: Hostile[]; last: Hostile | undefined } {
  const framed: Hostile[] = [];
  const length = 1 + chance.below(PIPELINED_MAX);
  while (framed.length < length) {
    const next = chance.happens(0.02) ? GOOD_TICK : hostileRequest(chance);
    if (!next.framed) return { framed, last: next };
    framed.push(next);
  }
  return { framed, last: undefined };
}

function judge(pipeline: readonly Hostile[], { replies, closed }: Talk, tally: Tally): void {
  tally.requests += pipeline.length;
  for (const { kind } of pipeline) {
    const name = kind === '' ? 'good' : kind;
    tally.sent[name] = (tally.sent[name] ?? 0) + 1;
  }
  for (const [index, { status, headers, body }] of replies.entries()) {
    tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
    const request = pipeline[index];
    const told = (): string =>
      `${show(request)} was answered with ${status}: ${body.slice(0, 300)}`;
    if (status === 202) tally.accepted += Number(/^\{"accepted":(\d+)/u.exec(body)?.[1] ?? 0);
    if (status < 200 || (status >= 500 && status !== 503)) violate(tally, told());
    if (status === 503 && !/^retry-after: [1-9]/imu.test(headers)) violate(tally, told());
    if (request === GOOD_TICK && status !== 202) violate(tally, told());
  }
  const due = pipeline.filter(({ framed }) => framed).length;
  if (replies.length >= due) return;
  tally.unanswered += due - replies.length;
  const mayClose =
    replies.length > 0 && /^connection: close/imu.test(replies.at(-1)?.headers ?? '');
  if (!closed || !mayClose) {
    const how = closed ? 'The connection was closed' : 'No answer came';
    violate(tally, `${how} at ${show(pipeline[replies.length])}`);
  }
}

function show(request: Hostile | undefined): string {
  const bytes = request?.bytes.toString('latin1') ?? 'nothing';
  return `[${request?.kind}] ${JSON.stringify(bytes.slice(0, 400))}`;
}

export function textOf(report: FuzzReport): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  return [
    `${report.requests} requests on ${report.connections} connections: ${list(report.sent)}`,
    `answers: ${list(report.statuses)}; ${report.unanswered} on connections that were closed before`,
    `${report.accepted} events in 202s, ${report.acknowledged} in the journal`,
    `memory: ${report.highestMb.toFixed(0)} MB at most, ${report.growthMb.toFixed(0)} MB growth`,
    ...report.violations.map((violation) => `VIOLATION ${violation}`),
    report.violations.length === 0 ? 'no violation' : `${report.violations.length} violations`,
  ].join('\n');
}

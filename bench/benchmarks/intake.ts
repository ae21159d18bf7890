import { join } from 'node:path';
import {
  type Benchmark,
  type Context,
  inTurn,
  number,
  type Result,
  shown,
  spread,
  type Verdict,
} from '../benchmark.ts';
import { BATCH, LOG, type RequestKind, SINGLE, writeRequests } from '../requests.ts';
import { type Counts, startBareServer, startBenchCollector } from '../servers.ts';
import { checkWrk, type Leg, load } from '../wrk.ts';

const WARM_UP_SECONDS = 5;
const BESIDE =
  'beside a bare node:http server that only parses, appends and group-commits with fdatasync; the same requests from the same generator on the same cores';

interface Plan {
  readonly kind: RequestKind;
  readonly connections: number;
  readonly judge: (measured: Measured) => readonly Verdict[];
}

interface Measured {
  readonly ratios: readonly number[];
  readonly ours: readonly OurLeg[];
}

interface OurLeg extends Leg {
  /** Events that waited for the store when the load ended. */
  readonly waiting: number;
}

export const intakeSingle: Benchmark = {
  name: 'intake-single',
  meaning: `Events a second acknowledged through the whole collector (checks, enrichment, fsync, delivery into DuckDB), one event a request as a browser sends it, 64 connections, ${BESIDE}.`,
  run: (context) => run(context, { kind: SINGLE, connections: 64, judge: judgeSingle }),
};

export const intakeBatch: Benchmark = {
  name: 'intake-batch',
  meaning: `The same in batches of 500 events as an application sends them, each with its visitor's address and agent, 8 connections, ${BESIDE}.`,
  run: (context) => run(context, { kind: BATCH, connections: 8, judge: judgeBatch }),
};

export const intakeLog: Benchmark = {
  name: 'intake-log',
  meaning: `The same in batches of 500 lines of an access log as Logstash sends them, 8 connections, ${BESIDE}.`,
  run: (context) => run(context, { kind: LOG, connections: 8, judge: () => [] }),
};

async function run(context: Context, { kind, connections, judge }: Plan): Promise<Result> {
  checkWrk();
  const requestsFile = join(context.folder('requests'), 'requests');
  writeRequests(kind, requestsFile);
  const bare = await startBareServer(context.folder('bare'));
  const collector = await startBenchCollector(context.folder('collector'));
  const leg = { requestsFile, connections, eventsEach: kind.eventsEach };
  const { pairs, seconds } = context.options;
  try {
    const ours = async (): Promise<OurLeg> => {
      const measured = await load(collector, { ...leg, seconds });
      const waiting = await collector.waiting();
      // The other server must not pay for what this one has put off.
      await collector.drained();
      context.log(`collector ${number(measured.eventsPerSecond)}/s, ${number(waiting)} waiting`);
      return { ...measured, waiting };
    };
    const theirs = async (): Promise<Leg> => {
      const measured = await load(bare, { ...leg, seconds });
      context.log(`bare      ${number(measured.eventsPerSecond)}/s`);
      return measured;
    };
    for (const server of [collector, bare]) {
      await load(server, { ...leg, seconds: WARM_UP_SECONDS });
    }
    await collector.drained();
    const legs = await inTurn(pairs, ours, theirs);
    return resultOf(legs, await collector.counts(), judge);
  } finally {
    await Promise.all([bare.stop(), collector.stop()]);
  }
}

function resultOf(
  legs: readonly (readonly [OurLeg, Leg])[],
  counts: Counts,
  judge: Plan['judge'],
): Result {
  if (counts.duplicates + counts.rejected > 0) throw new Error('The load repeats itself');
  const ours = legs.map(([leg]) => leg);
  const bare = legs.map(([, leg]) => leg);
  const ratios = legs.map(([a, b]) => a.eventsPerSecond / b.eventsPerSecond);
  const processorRatios = legs.map(([a, b]) => b.processorUs / a.processorUs);
  return {
    columns: ['', 'events/s', 'p50 ms', 'p99 ms', 'processor µs/event'],
    rows: [
      ['collector', ...figures(ours)],
      ['bare server', ...figures(bare)],
      ['ratio', shown(ratios, 2), '', '', shown(processorRatios, 2)],
    ],
    verdicts: judge({ ratios, ours }),
    data: { legs, ratios, processorRatios, counts },
  };
}

function figures(legs: readonly Leg[]): readonly string[] {
  return [
    shown(legs.map((leg) => leg.eventsPerSecond)),
    shown(
      legs.map((leg) => leg.p50Ms),
      1,
    ),
    shown(
      legs.map((leg) => leg.p99Ms),
      1,
    ),
    shown(
      legs.map((leg) => leg.processorUs),
      1,
    ),
  ];
}

function judgeSingle({ ratios, ours }: Measured): readonly Verdict[] {
  const p99Ms = spread(ours.map((leg) => leg.p99Ms)).median;
  return [
    ratioVerdict(ratios, 0.6),
    rateVerdict(ours, 25_000),
    { kind: 'aim', says: 'p99 under 15 ms', measured: `${number(p99Ms, 1)} ms`, met: p99Ms < 15 },
  ];
}

function judgeBatch({ ratios, ours }: Measured): readonly Verdict[] {
  return [ratioVerdict(ratios, 0.2), rateVerdict(ours, 250_000)];
}

function ratioVerdict(ratios: readonly number[], atLeast: number): Verdict {
  const { median } = spread(ratios);
  return {
    kind: 'must',
    says: `${atLeast} of the bare server`,
    measured: number(median, 2),
    met: median >= atLeast,
  };
}

function rateVerdict(legs: readonly Leg[], atLeast: number): Verdict {
  const { median } = spread(legs.map((leg) => leg.eventsPerSecond));
  return {
    kind: 'aim',
    says: `${number(atLeast)} events/s`,
    measured: number(median),
    met: median >= atLeast,
  };
}

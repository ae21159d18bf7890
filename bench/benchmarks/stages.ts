import { createIntake } from '../../packages/collector/src/intake/intake.ts';
import type { ClientFacts } from '../../packages/collector/src/intake/intake.ts';
import { FrameEncoder } from '../../packages/collector/src/journal/frame.ts';
import { Stage as LineStage } from '../../packages/collector/src/journal/stage.ts';
import { type Benchmark, type Result, shown } from '../benchmark.ts';
import { agentOf } from '../events.ts';
import structure from '../metronome.config.json' with { type: 'json' };
import { BATCH, bodyOf, LOG, type RequestKind, SINGLE } from '../requests.ts';

const BODIES: Readonly<Record<string, number>> = { single: 20_000, batch: 100, log: 100 };
const STAGED = { single: SINGLE, batch: BATCH, log: LOG } as const;
const SECONDS_EACH = 0.3;
const ROUNDS = 5;

/** Processor time is what it is on a busy machine too, so this may run at any time. */
export const stages: Benchmark = {
  name: 'stages',
  meaning:
    'Processor time of one event in the stages between the network and the disk, in one thread: JSON.parse, all of intake (with JSON.parse), intake and the encoding of journal frames. Single events as a browser sends them; batches of 500 from an application and of an access log.',
  run(context) {
    const rows: string[][] = [];
    const data: Record<string, Stage> = {};
    for (const [name, kind] of Object.entries(STAGED)) {
      const measured = measure(kind, BODIES[name] ?? 0);
      data[name] = measured;
      rows.push([name, ...Object.values(measured).map((values: number[]) => shown(values, 2))]);
      context.log(rows.at(-1)?.join(' · ') ?? '');
    }
    const columns = ['', 'JSON.parse µs', 'intake µs', 'with journal frame µs'];
    return Promise.resolve({ columns, rows, verdicts: [], data } satisfies Result);
  },
};

interface Stage {
  readonly parse: readonly number[];
  readonly intake: readonly number[];
  readonly frame: readonly number[];
}

function measure(kind: RequestKind, count: number): Stage {
  const receivedAt = Date.now();
  const bodies = Array.from({ length: count }, (_, n) =>
    Buffer.from(bodyOf(kind, n, receivedAt).replaceAll('@', 'x')),
  );
  const intake = createIntake({
    salt: () => 'a salt of the day, as long as a real one',
    patterns: structure.items,
    ownHosts: structure.sites.default.hosts,
  });
  const takeTo = (keep: (line: string) => void) => (bytes: Buffer, n: number) =>
    intake.take({ contentType: kind.contentType, bytes }, clientOf(kind, n, receivedAt), keep);
  const encoder = new FrameEncoder();
  const stage = new LineStage();
  const place = { collector: 'a1b2c3d4e5f6', segment: 1, first: 1_000_000, time: receivedAt };
  // Group commits of 20 single events, or of one batch.
  const group = Math.min(20, Math.max(1, Math.round(20 / kind.eventsEach)));
  const events = count * kind.eventsEach;
  const parsed = rounds(events, () => bodies.forEach((bytes) => JSON.parse(bytes.toString())));
  const enriched = rounds(events, () => bodies.forEach(takeTo(() => undefined)));
  const take = takeTo((line) => stage.add(line));
  const framed = rounds(events, () => {
    for (const [n, bytes] of bodies.entries()) {
      take(bytes, n);
      if (n % group === group - 1) encoder.encode(stage, stage.events, place);
    }
  });
  return { parse: parsed, intake: enriched, frame: framed };
}

function clientOf({ fromBrowser }: RequestKind, n: number, receivedAt: number): ClientFacts {
  const userAgent = fromBrowser ? agentOf(n) : 'shipper/1.0';
  return { receivedAt, ip: '127.0.0.1', userAgent, fromBrowser, privacy: false, privileged: false };
}

/** Processor time of one event, in µs, after one round that is not counted. */
function rounds(events: number, work: () => void): readonly number[] {
  const measured = Array.from({ length: ROUNDS + 1 }, () => {
    const start = performance.now();
    const before = process.cpuUsage();
    let passes = 0;
    while (performance.now() - start < SECONDS_EACH * 1000) {
      work();
      passes += 1;
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / passes / events;
  });
  return measured.slice(1);
}

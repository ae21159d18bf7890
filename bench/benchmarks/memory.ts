import { type Benchmark, number, shown, spread } from '../benchmark.ts';
import { pacedLoad } from '../load-process.ts';
import type { PacedLoadSaid } from '../paced-load.ts';
import { residentMb, watchMemory } from '../process-usage.ts';
import { startBenchCollector } from '../servers.ts';

const MAX_MB = 400;
/** Events a second: a day's ten million visitors in four minutes. */
const RATE = 40_000;
/** Then so many as fast as they are acknowledged. */
const SATURATING_EVENTS = 2_000_000;

export const memory: Benchmark = {
  name: 'memory',
  meaning: `Memory of the collector with the embedded store (resident, sampled five times a second) while one event of each of 10 million visitors arrives within a day, in batches of 500 at ${number(RATE)} events/s, which is 350 times as fast as the day brings them. Then ${number(SATURATING_EVENTS)} events more, as fast as the collector takes them.`,
  async run(context) {
    const { visitors } = context.options;
    const collector = await startBenchCollector(context.folder('collector'));
    const { url, pid } = collector;
    const leg = async (load: { rate?: number; events: number }): Promise<Leg> => {
      const watch = watchMemory(pid);
      const said = await pacedLoad({ url, kind: 'visitors', ...load });
      const waiting = await collector.waiting();
      await collector.drained();
      const memoryMb = watch.stop();
      const { max } = spread(memoryMb);
      const done = { said, waiting, memoryMb };
      context.log(`${number(rateOf(done))}/s, at most ${number(max)} MB`);
      return done;
    };
    try {
      const startMb = residentMb(pid);
      const paced = await leg({ rate: RATE, events: visitors });
      const saturated = await leg({ events: SATURATING_EVENTS });
      const { stored } = await collector.counts();
      const { max } = spread(paced.memoryMb);
      const figures = (of: (one: Leg) => string): readonly string[] => [paced, saturated].map(of);
      return {
        columns: ['', `${number(RATE)} events/s`, 'as many as it takes'],
        rows: [
          ['events', ...figures((one) => number(one.said.acknowledged))],
          ['acknowledged', ...figures((one) => `${number(rateOf(one))} events/s`)],
          ['waiting at the end of it', ...figures((one) => `${number(one.waiting)} events`)],
          ['memory', ...figures((one) => `${shown(one.memoryMb)} MB`)],
        ],
        verdicts: [
          {
            kind: 'must',
            says: `under ${MAX_MB} MB with ${number(visitors)} visitors a day`,
            measured: `at most ${number(max)} MB, ${number(startMb)} MB after the start`,
            met: max < MAX_MB,
          },
        ],
        data: { startMb, stored, paced, saturated },
      };
    } finally {
      await collector.stop();
    }
  },
};

interface Leg {
  readonly said: PacedLoadSaid;
  /** Events that waited for the store when the load ended. */
  readonly waiting: number;
  readonly memoryMb: readonly number[];
}

function rateOf({ said }: Leg): number {
  return said.acknowledged / said.seconds;
}

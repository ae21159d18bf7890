import { type Benchmark, number, shown, spread } from '../benchmark.ts';
import { pacedLoad } from '../load-process.ts';
import { residentMb, watchMemory } from '../process-usage.ts';
import { startBenchCollector } from '../servers.ts';

const MAX_MB = 400;

export const memory: Benchmark = {
  name: 'memory',
  meaning:
    'Memory of the collector with the embedded store (resident, sampled five times a second) while one event of each of 10 million visitors arrives within a day, in batches of 500 as fast as they are acknowledged.',
  async run(context) {
    const { visitors } = context.options;
    const collector = await startBenchCollector(context.folder('collector'));
    try {
      const startMb = residentMb(collector.pid);
      const memoryWatch = watchMemory(collector.pid);
      const said = await pacedLoad({ url: collector.url, kind: 'visitors', events: visitors });
      const waiting = await collector.waiting();
      const drainedMs = await collector.drained();
      const seen = memoryWatch.stop();
      const { stored } = await collector.counts();
      const { max } = spread(seen);
      context.log(`${number(said.acknowledged / said.seconds)}/s, at most ${number(max)} MB`);
      return {
        columns: ['', 'measured'],
        rows: [
          ['visitors', number(stored)],
          ['acknowledged', `${number(said.acknowledged / said.seconds)} events/s`],
          ['waiting at the end of it', `${number(waiting)} events, ${number(drainedMs)} ms`],
          ['memory after the start', `${number(startMb)} MB`],
          ['memory under load', `${shown(seen)} MB`],
          ['memory at the end', `${number(residentMb(collector.pid))} MB`],
        ],
        verdicts: [
          {
            kind: 'must',
            says: `under ${MAX_MB} MB with ${number(visitors)} visitors a day`,
            measured: `at most ${number(max)} MB`,
            met: max < MAX_MB,
          },
        ],
        data: { said, waiting, drainedMs, stored, memoryMb: seen },
      };
    } finally {
      await collector.stop();
    }
  },
};

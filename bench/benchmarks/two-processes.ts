import { join } from 'node:path';
import { type Benchmark, inTurn, number, shown } from '../benchmark.ts';
import { SINGLE, writeRequests } from '../requests.ts';
import { type BenchCollector, startBenchCollector } from '../servers.ts';
import { checkWrk, type Leg, load } from '../wrk.ts';

const CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;

/** Whether `METRONOME_WORKERS` would be worth its while: where cores are left, and only there. */
export const twoProcesses: Benchmark = {
  name: 'two-processes',
  meaning:
    'Single events through two collectors at once, each with a data folder of its own and half of the 64 connections, beside one collector with all of them: what several processes on this machine would bring.',
  async run(context) {
    checkWrk();
    const { pairs, seconds } = context.options;
    const requestsFile = join(context.folder('requests'), 'requests');
    writeRequests(SINGLE, requestsFile);
    const collectors = await Promise.all(
      ['one', 'two'].map((name) => startBenchCollector(context.folder(name))),
    );
    const loadAll = async (
      loaded: readonly BenchCollector[],
      lasting: number,
    ): Promise<readonly Leg[]> => {
      const connections = CONNECTIONS / loaded.length;
      const settings = { requestsFile, eventsEach: 1, connections, seconds: lasting };
      const legs = await Promise.all(loaded.map((collector) => load(collector, settings)));
      await Promise.all(loaded.map((collector) => collector.drained()));
      return legs;
    };
    const together = async (loaded: readonly BenchCollector[]): Promise<number> => {
      const legs = await loadAll(loaded, seconds);
      const perSecond = legs.reduce((sum, leg) => sum + leg.eventsPerSecond, 0);
      context.log(`${loaded.length} × ${number(perSecond / loaded.length)}/s`);
      return perSecond;
    };
    try {
      await loadAll(collectors, WARM_UP_SECONDS);
      const legs = await inTurn(
        pairs,
        () => together(collectors),
        () => together(collectors.slice(0, 1)),
      );
      const ratios = legs.map(([two, one]) => two / one);
      return {
        columns: ['', 'events/s'],
        rows: [
          ['two processes', shown(legs.map(([two]) => two))],
          ['one process', shown(legs.map(([, one]) => one))],
          ['ratio', shown(ratios, 2)],
        ],
        verdicts: [],
        data: { legs, ratios },
      };
    } finally {
      await Promise.all(collectors.map((collector) => collector.stop()));
    }
  },
};

import { setTimeout as delay } from 'node:timers/promises';
import { type Benchmark, number, quantile, shown, spread } from '../benchmark.ts';
import { pacedLoad } from '../load-process.ts';
import { processorMs, watchMemory } from '../process-usage.ts';
import { startBenchCollector } from '../servers.ts';

const SECONDS = 25;
const PROBE_POLL_MS = 25;
const PROBE_PAUSE_MS = 500;

export const sustainedDuckdb: Benchmark = {
  name: 'sustained-duckdb',
  meaning:
    'Batches of 500 at a fixed rate into the embedded store for 25 s. Meanwhile, one after the other, single events of an item of their own: the time from the 202 to their view in `GET /tock/:id.json`.',
  async run(context) {
    const { rate } = context.options;
    const collector = await startBenchCollector(context.folder('collector'));
    try {
      // The first batches meet a program that is not compiled yet.
      await pacedLoad({ url: collector.url, kind: 'batch', rate, events: rate * 3 });
      await collector.drained();
      const before = await collector.counts();
      const memory = watchMemory(collector.pid);
      const probing = probe(collector.url);
      const processorBefore = processorMs(collector.pid);
      const start = performance.now();
      const said = await pacedLoad({
        url: collector.url,
        kind: 'batch',
        rate,
        events: rate * SECONDS,
      });
      const waiting = await collector.waiting();
      const drainedMs = await collector.drained();
      const seconds = (performance.now() - start) / 1000;
      const delayedMs = await probing.stop();
      const processorUs =
        ((processorMs(collector.pid) - processorBefore) * 1000) / said.acknowledged;
      const after = await collector.counts();
      const memoryMb = memory.stop();
      const stored = after.stored - before.stored;
      const acknowledgedRate = said.acknowledged / said.seconds;
      const p95Ms = quantile(delayedMs, 0.95);
      context.log(`${number(acknowledgedRate)}/s, ${number(waiting)} waiting`);
      return {
        columns: ['', 'measured'],
        rows: [
          ['asked for', `${number(rate)} events/s`],
          ['acknowledged', `${number(acknowledgedRate)} events/s`],
          [
            'stored',
            `${number(stored / seconds)} events/s until the last of ${number(stored)} was`,
          ],
          ['waiting when the load ended', `${number(waiting)} events, ${number(drainedMs)} ms`],
          ['request p50, p99', `${number(said.p50Ms, 1)}, ${number(said.p99Ms, 1)} ms`],
          [
            '202 to tock',
            `${shown(delayedMs)} ms, p95 ${number(p95Ms)} ms, ${delayedMs.length} probes`,
          ],
          ['processor, all threads', `${number(processorUs, 1)} µs an event`],
          ['memory', `${shown(memoryMb)} MB`],
        ],
        verdicts: [
          {
            kind: 'aim',
            says: '100,000 events/s sustained',
            measured: `${number(acknowledgedRate)} acknowledged, ${number(stored / seconds)} stored a second`,
            met: stored / seconds >= 99_000,
          },
          {
            kind: 'aim',
            says: 'visible in the tock within a second',
            measured: `median ${number(spread(delayedMs).median)} ms, p95 ${number(p95Ms)} ms`,
            met: p95Ms < 1000,
          },
        ],
        data: { said, waiting, drainedMs, stored, seconds, delayedMs, memoryMb: spread(memoryMb) },
      };
    } finally {
      await collector.stop();
    }
  },
};

/** Posts events of items of their own until it is stopped; resolves with what each took, in ms. */
function probe(url: string): { stop(): Promise<readonly number[]> } {
  const stopping = new AbortController();
  const probing = (async () => {
    const delayedMs: number[] = [];
    while (!stopping.signal.aborted) {
      const item = `probe-${Date.now()}`;
      await fetch(`${url}/tick`, { method: 'POST', body: JSON.stringify({ item }) });
      const acknowledged = performance.now();
      while (!(await isVisible(url, item))) await delay(PROBE_POLL_MS);
      delayedMs.push(performance.now() - acknowledged);
      await delay(PROBE_PAUSE_MS);
    }
    return delayedMs;
  })();
  return {
    stop() {
      stopping.abort();
      return probing;
    },
  };
}

async function isVisible(url: string, item: string): Promise<boolean> {
  const answer = await fetch(`${url}/tock/${item}.json`);
  const { views } = (await answer.json()) as { views: object };
  return Object.keys(views).length > 0;
}

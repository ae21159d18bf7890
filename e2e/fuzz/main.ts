// `npm run fuzz -- --seed 1 --requests 1000000 --minutes 30`
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fuzzRun, textOf } from './fuzz-run.ts';
import { startSlowClients } from './slow-clients.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    requests: { type: 'string', default: '1000000' },
    /** At most. */
    minutes: { type: 'string', default: '60' },
  },
});

/** Growth from when it was warm; the store's own buffers fill up meanwhile. */
const GROWTH_MB_MAX = 100;
/** The time for a whole request, and Node's interval of looking. */
const SLOW_CLIENTS_MS = 100_000;

// The collector ends with this process, but only when it ends by itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const report = await fuzzRun({
  seed: Number(values.seed),
  requests: Number(values.requests),
  deadline: Date.now() + Number(values.minutes) * 60_000,
  growthMbMax: GROWTH_MB_MAX,
  say: console.log,
  beside: async (port) => {
    const slow = startSlowClients(port);
    await delay(SLOW_CLIENTS_MS);
    const { count, open } = slow;
    slow.stop();
    console.log(`${count - open} of ${count} slow clients were cut off`);
    return open === 0 ? [] : [`${open} of ${count} slow clients are still served.`];
  },
});
console.log(`Seed ${values.seed}\n${textOf(report)}`);
process.exitCode = report.violations.length === 0 ? 0 : 1;

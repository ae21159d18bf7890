// `npm run chaos:visits -- --seed 1 --visits 2000 --minutes 40 [--results]`
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { describeMachine, loadAverage } from '../../../bench/machine.ts';
import { ENGINES, openBrowser } from '../../parts/browsers.ts';
import { MIX } from './mix.ts';
import { missedTargets, textOf } from './verdict-text.ts';
import { visitsRun } from './visits-run.ts';

const { values } = parseArgs({
  options: {
    /** Of the plan: who comes when, does what, and which faults happen. */
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    visits: { type: 'string', default: '2000' },
    /** At most. */
    minutes: { type: 'string', default: '60' },
    /** Write `RESULTS.md`. */
    results: { type: 'boolean', default: false },
  },
});

/** As many as two cores play without being late: then 2,000 visits take half an hour. */
const LANES = { chromium: 6, firefox: 3, webkit: 1 };

// The parts end with this process, but only when it ends by itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const load = loadAverage();
const started = Date.now();
const verdict = await visitsRun({
  seed: Number(values.seed),
  visits: Number(values.visits),
  engines: MIX.engines,
  lanes: LANES,
  deadline: started + Number(values.minutes) * 60_000,
  say: console.log,
});
const minutes = ((Date.now() - started) / 60_000).toFixed(0);
const report = textOf(verdict);
console.log(report);
if (values.results) writeFileSync(new URL('RESULTS.md', import.meta.url), await results());
process.exitCode = verdict.violations.length + missedTargets(verdict).length === 0 ? 0 : 1;
// Firefox keeps the process alive.
process.exit();

async function results(): Promise<string> {
  const versions = [];
  for (const engine of ENGINES) versions.push(`${engine} ${(await openBrowser(engine)).version}`);
  return `# Visits under chaos

    npm run chaos:visits -- --seed ${values.seed} --visits ${values.visits} --results

${new Date(started).toISOString().slice(0, 10)}, ${minutes} minutes on ${describeMachine()}, whose load average was ${load.toFixed(1)} before; ${versions.join(', ')}.

${report}

The mix of faults is [\`mix.ts\`](mix.ts). An event is *recorded* once the SDK has handed it to \`beforeSend\`, from where the page tells it to the run without the SDK. *Wait in the browser*: kept in localStorage for a visit that did not come. *Gone*: neither stored nor kept.

The collector is away from its kill until it listens again. On a busy machine its start takes several times as long as the outage that was planned, and since a second stands for ten here, more last visits then fall into one outage altogether. So hold the seconds that it was away against its kills, of which each is planned for ${(MIX.outageMs[0] + MIX.outageMs[1]) / 2_000} s on average.
`;
}

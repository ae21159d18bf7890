// `npm run compare [-- --product Plausible …] [--starts]`: writes `docs/comparison.md` when it has
// them all; with `--starts` it says how long each takes to start, and no more
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { openBrowser } from '../../e2e/parts/browsers.ts';
import { serveLocally } from '../../e2e/sdk/local-server.ts';
import { SCRIPTS_FOLDER } from '../../e2e/sdk/recording-collector.ts';
import { metronome } from '../../e2e/sdk/tracker.ts';
import { describeMachine, loadAverage } from '../machine.ts';
import { brotliBytes, bundle, installProducts } from './bundle.ts';
import { conform } from './conform.ts';
import { peerTracker } from './peer-tracker.ts';
import type { Product } from './product.ts';
import { elastic } from './products/elastic.ts';
import { openpanel } from './products/openpanel.ts';
import { plausible } from './products/plausible.ts';
import { posthog } from './products/posthog.ts';
import { snowplow } from './products/snowplow.ts';
import { type Column, comparisonText, startsTable } from './report.ts';
import { claimedPart, comparedScenarios, unclaimed } from './scope.ts';
import { measureStarts } from './startup.ts';

const PRODUCTS = [plausible, openpanel, snowplow, posthog, elastic];
const { values } = parseArgs({
  options: {
    product: { type: 'string', multiple: true },
    starts: { type: 'boolean', default: false },
  },
});
const chosen = PRODUCTS.filter(({ name }) => values.product?.includes(name) ?? true);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

installProducts();
const scenarios = comparedScenarios();
const bundles = new Map(chosen.map((product) => [product, bundle(product)]));
const scripts = await serveLocally(({ url = '' }, response) => {
  const found = [...bundles].find(([{ package: name }]) => url === `/${name}.js`);
  const headers = { 'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*' };
  response.writeHead(found ? 200 : 404, headers).end(found?.[1].code);
});

// Before anything else runs in the browser.
const load = loadAverage();
const starts = await measureStarts({
  Metronome: own('metronome.js'),
  ...Object.fromEntries(
    [...bundles].map(([{ name, package: path }, { code }]) => [name, startOf(path, code)]),
  ),
});
if (values.starts) {
  console.log(`Load average before: ${load.toFixed(1)}\n\n${startsTable(starts)}`);
  process.exit();
}
const columns = [await ownColumn()];
for (const product of chosen) columns.push(await columnOf(product));
const text = comparisonText({
  date: new Date().toISOString().slice(0, 10),
  machine: describeMachine(),
  browser: (await openBrowser('chromium')).version,
  columns,
  scenarios,
  starts,
  load,
});
console.log(text);
if (values.product === undefined)
  writeFileSync(new URL('../../docs/comparison.md', import.meta.url), text);
process.exit();

function own(name: string): string {
  return readFileSync(new URL(name, SCRIPTS_FOLDER), 'utf8');
}

/** A script that starts a product on a page without the table's own scripts. */
function startOf(path: string, code: string): string {
  const product = PRODUCTS.find((one) => one.package === path);
  return `peerOptions = ${JSON.stringify(product?.endpoint('/collector') ?? {})};${code}`;
}

async function ownColumn(): Promise<Column> {
  console.log('Metronome');
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../packages/sdk/package.json', import.meta.url), 'utf8'),
  );
  return {
    name: 'Metronome',
    about: 'page views, engaged time, scroll depth, downloads, outbound links, errors, web vitals',
    version,
    sizes: [
      ['', brotliBytes(own('metronome.js'))],
      ['when idle', brotliBytes(own('metronome-vitals.js'))],
    ],
    outcomes: await conform(metronome, scenarios),
    unclaimed: new Map(),
  };
}

async function columnOf(product: Product): Promise<Column> {
  console.log(product.name);
  const { version = '', bytes = 0 } = bundles.get(product) ?? {};
  const reasons = new Map<string, string>();
  for (const { scenario } of scenarios) {
    const reason = unclaimed(product, scenario);
    if (reason !== undefined) reasons.set(scenario.name, reason);
  }
  const claimed = scenarios
    .filter(({ scenario }) => !reasons.has(scenario.name))
    .map((one) => ({ ...one, scenario: claimedPart(product, one.scenario) }));
  const url = `${scripts.origin}/${product.package}.js`;
  return {
    name: product.name,
    about: product.about,
    version,
    sizes: [['', bytes]],
    outcomes: await conform(peerTracker(product, url), claimed),
    unclaimed: reasons,
  };
}

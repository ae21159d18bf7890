/** Which scenarios of the conformance table say something about other products. */
import type { Scenario } from '../../e2e/sdk/scenario.ts';
import { SCENARIOS } from '../../e2e/sdk/scenarios.ts';
import type { Product } from './product.ts';

/** Scenarios of what only we have: our own attributes, calls and limits. */
const OWN: readonly string[] = [
  '`data-item` holds until the address changes',
  '`setItem` right after a push is the item of that view',
  'the title of a view is the one that the application sets after its push',
  'only the first view of a document carries the external referrer',
  '`view()` is one by itself, where `views` is off',
  '`data-metronome-item` of the link',
  '`data-metronome-item` of the nearest ancestor',
  'without an item of its own, the page says its own',
  'a collector that is away for long: what is kept is bounded, what is lost is counted',
  '`data-metronome-event`',
  '`data-metronome-event` on a submit button sees the Enter key',
  'none with `actions` off',
  'no campaign parameters with `campaign` off',
  'an instrumentation of the application',
  'campaign parameters, on the view that the visitor came with',
  'properties of an event come as they are',
  'an error that repeats is one event with its count',
  'a page in a bad loop says no more than 20 different things',
  'an error that a script of another origin hides is marked',
  "an error of a browser's extension is marked",
  'none of what fails to load with `resources` off',
  'subresource integrity',
  'integrity of what loads when the page is idle, by an import map',
  'where its integrity is another, what loads when the page is idle is left out',
  '`data-endpoint` and `data-app`',
  'calls before the load, by a stub',
  'a second script tag counts nothing twice',
  'one global only',
  'history works as without it: state, length, errors, results',
  'calls with nonsense throw nothing into the page',
  '`stop()` sends what is queued, and ends',
];

/** Rooms of which only some scenarios are about more than our own options and clocks. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  measures: ['web vitals, when the page is left'],
  privacy: [
    'Global Privacy Control with `respect: drop`: nothing',
    'Do Not Track with `respect: drop`: nothing',
    'nothing stays on the device: no cookie, no storage, no database',
  ],
};

/** What products decide differently: no fault of those that do not do as we do by default. */
const POLICIES: readonly string[] = [
  'a replace to another path',
  'a push that changes only the query',
  'a tab in the background is none until it is looked at',
];

export interface Compared {
  readonly room: string;
  readonly scenario: Scenario;
  readonly policy: boolean;
}

export function comparedScenarios(): Compared[] {
  const all = Object.entries(SCENARIOS).flatMap(([room, scenarios]) =>
    scenarios.map((scenario) => ({ room, scenario, policy: POLICIES.includes(scenario.name) })),
  );
  const names = new Set(all.map(({ scenario }) => scenario.name));
  for (const name of [...OWN, ...POLICIES, ...Object.values(ONLY).flat()]) {
    if (!names.has(name)) throw new Error(`The conformance table has no scenario «${name}»`);
  }
  return all.filter(
    ({ room, scenario: { name } }) => ONLY[room]?.includes(name) ?? !OWN.includes(name),
  );
}

/** Switched off by scenarios that are about something else. */
const AID = 'late';

/** Why a product does not claim a scenario; undefined if it does. */
export function unclaimed(
  product: Product,
  { name, options = {}, expected, watch = [] }: Scenario,
): string | undefined {
  const option = Object.keys(options).find((key) => key !== AID && !(key in product.options));
  if (option !== undefined) return `no option like \`${option}\``;
  const names = [...expected.map(({ event }) => String(event)), ...watch];
  const missing = names.find((event) => event in product.without);
  return missing === undefined ? product.except?.[name] : product.without[missing];
}

/** The scenario without the vitals that a product does not claim. */
export function claimedPart(product: Product, scenario: Scenario): Scenario {
  const expected = scenario.expected.filter(({ name }) => !(String(name) in product.without));
  return { ...scenario, expected };
}

import type { WireEvent } from '../../e2e/sdk/recording-collector.ts';
import type { TagOptions } from '../../e2e/sdk/tracker.ts';

/** Scenarios of navigations within the document. */
export const SPA: readonly string[] = [
  'push',
  'push and at once a replace: one view, of the final address',
  'three pushes at 400 ms',
  'three pushes in a row',
  'push, then Back',
  'a replace to another path',
  'a push that changes only the query',
];

/** The same reason for several scenarios. */
export const because = (reason: string, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, reason]));

/** A tracker from npm, configured at its best, in the terms of the conformance table. */
export interface Product {
  readonly name: string;
  /** The package whose version is named. */
  readonly package: string;
  /** What it is, in a few words. */
  readonly about: string;
  /**
   * The module that a site would bundle: starts it with `peerOptions`, which the page has set, and
   * leaves in `peer` a function `(n, text)` that records an event `beat`.
   */
  readonly entry: string;
  /** Modules that it loads only where a site wants them. */
  readonly external?: readonly string[];
  /** Its own options for those of ours that it knows; a scenario with others is left out. */
  readonly options: Readonly<Record<string, (value: TagOptions[string]) => object>>;
  /** Names of events or vitals that it does not claim to record, each with the reason. */
  readonly without: Readonly<Record<string, string>>;
  /** Other scenarios that it does not claim, by name, each with the reason. */
  readonly except?: Readonly<Record<string, string>>;
  /** Where its events go. */
  readonly path: RegExp;
  /** Given the collector's origin. */
  endpoint(collectorOrigin: string): object;
  /** The events of one request, in our words; an `id` where a retry has the same. */
  events(body: string): WireEvent[];
}

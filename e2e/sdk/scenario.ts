import type { Engine, Page } from '../parts/browser.ts';
import type { RecordingCollector, WireEvent } from './recording-collector.ts';
import type { Site } from './site.ts';
import type { TagOptions } from './tracker.ts';

/**
 * One line of the conformance table: a page, what is done in the browser, and which events the
 * collector counts then.
 */
export interface Scenario extends PageContent {
  readonly name: string;
  /** `false`: it is the steps that open a page. Default: `/`, whose content this is. */
  readonly open?: false;
  /** Other pages of the site, by path. */
  readonly pages?: Readonly<Record<string, PageContent>>;
  /** Needs a profile of its own: several tabs, or a browser that is killed. */
  readonly profile?: 'own';
  readonly steps?: (visit: Visit) => Promise<void>;
  /** The names of the events that matter; by default all but those of `MEASURED`. */
  readonly watch?: readonly string[];
  /** Parts of the events that count, in their order, and no others. See `local` for URLs. */
  readonly expected: readonly WireEvent[];
  /** Order says nothing here. */
  readonly unordered?: true;
  /** At most so many requests carry the watched events. */
  readonly requestsMax?: number;
  /** What the page itself does wrong; a part of each message. */
  readonly throws?: RegExp;
  /** Engines in which it is otherwise, and why. No scenario is skipped. */
  readonly except?: Partial<Record<Engine, Exception>>;
}

export interface Exception {
  /** Follows the engine's name and `which`. */
  readonly reason: string;
  /** What is done instead, and what comes of it. */
  readonly steps?: (visit: Visit) => Promise<void>;
  readonly expected?: Scenario['expected'];
}

/** Everywhere `COLLECTOR` is replaced by its origin. */
export interface PageContent {
  /** The body. */
  readonly html?: string;
  /** In the head, before the tracker. */
  readonly head?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Options of the tracker. */
  readonly options?: TagOptions;
  /** Attributes of all script elements in the head. */
  readonly attributes?: string;
  /** Not measured. */
  readonly bare?: true;
  /** All that is answered, instead of a page. */
  readonly text?: string;
}

/** How many there are depends on how fast the machine is. */
export const MEASURED: readonly string[] = ['engagement', 'vital'];

/** What the steps act on. */
export interface Visit {
  readonly page: Page;
  readonly site: Site;
  readonly collector: RecordingCollector;
  /** Opens a path of the site in the page. */
  open(path: string): Promise<void>;
  /** Another tab of the same profile, in front. */
  openTab(path: string): Promise<Page>;
  /** Events of the application's, `{ event: 'beat', n }`, padded by so many bytes. */
  beat(numbers: readonly number[], bytes?: number): Promise<void>;
  /** The same, and in the same task to the page `/bare`, which is not measured. */
  beatAndLeave(numbers: readonly number[], bytes?: number): Promise<void>;
  /** Resolves when so many events of a name count. */
  arrived(name: string, count?: number): Promise<void>;
  /** Resolves when so many ticks have reached the collector, whatever became of them. */
  ticked(count: number): Promise<void>;
  /** Resolves when what waits for an idle moment observes the page. */
  late(): Promise<void>;
  /** Resolves when all that the page has recorded so far was sent, or could not be. */
  delivered(page?: Page): Promise<void>;
  /** SIGKILL to the browser. */
  kill(): Promise<void>;
}

/** `beat` events as they are expected. */
export const beats = (numbers: readonly number[]): Scenario['expected'] =>
  numbers.map((n) => ({ event: 'beat', n }));

/** `from` to `to`, both included. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

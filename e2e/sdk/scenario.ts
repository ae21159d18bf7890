import type { Engine, Page } from '../parts/browser.ts';
import type { RecordingCollector, WireEvent } from './recording-collector.ts';
import type { Site } from './site.ts';

/**
 * One line of the conformance table: a page, what is done in the browser, and which events the
 * collector counts then.
 */
export interface Scenario {
  readonly name: string;
  /** The body of the page that is opened first; `open: false` leaves the opening to the steps. */
  readonly html?: string;
  readonly open?: false;
  /** In the head, before the tracker. */
  readonly head?: string;
  /** Options of the tracker, as its data attributes. */
  readonly options?: Readonly<Record<string, string | boolean>>;
  /** Other pages of the site, by path. */
  readonly pages?: Readonly<Record<string, PageContent>>;
  /** Needs a profile of its own: several tabs, or a browser that is killed. */
  readonly profile?: 'own';
  readonly steps?: (visit: Visit) => Promise<void>;
  /** The names of the events that matter; all by default, but what is measured (see `MEASURED`). */
  readonly watch?: readonly string[];
  /**
   * Parts of the events that count, in their order and no others. URLs of the site are paths here.
   */
  readonly expected: readonly WireEvent[];
  /** Engines in which it is otherwise, and why. */
  readonly except?: Partial<Record<Engine, Exception>>;
}

export interface Exception {
  readonly reason: string;
  /** What comes instead; without it, the scenario cannot be played in this engine. */
  readonly expected?: readonly WireEvent[];
}

export interface PageContent {
  readonly html?: string;
  readonly head?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly options?: Scenario['options'];
  /** Not measured. */
  readonly bare?: true;
}

/** Depend on how fast the machine is: in nearly all scenarios neither their number nor their time matters. */
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
  /** An event of the application's, `{ event: 'beat', n }`, padded by so many bytes. */
  beat(n: number, bytes?: number): Promise<void>;
  /** Resolves when so many events of a name count. */
  arrived(name: string, count?: number): Promise<void>;
  /** Resolves when all that the page has recorded so far has been delivered. */
  delivered(page?: Page): Promise<void>;
}

import type { Stop } from './lib/listen.ts';
import type { EventRecord, Options } from './options.ts';

/** One page view and what it is about; every event belongs to one. */
export interface View {
  /** Id of the page view, which is also the id of its `view` event. */
  page: string;
  url: string;
  item?: string | undefined;
}

/** Records an event. `view` begins a new page view; it is sent at once, the rest in batches. */
export type Emit = (event: string, fields?: EventRecord, view?: View) => void;

/** The page views of this document. */
export interface Page {
  /** The first view and the latest ones, oldest first; the last is the current one. */
  readonly views: readonly View[];
  /**
   * Calls `listener` when the page may be gone next, and with `ended` when its view makes room
   * for another. Events that it emits still belong to the view that ends.
   */
  onLeave(listener: (ended: boolean) => void): void;
}

/** Observes one thing; returns what takes its listeners away again. */
export type Instrumentation = (emit: Emit, options: Options, page: Page) => Stop;

import type { Listen } from './lib/listen.ts';
import type { EventRecord, Options } from './options.ts';

/** One page view and what it is about. Every event carries the one that it belongs to. */
export interface View {
  /** Id of the page view, which is also the id of its `view` event. */
  page: string;
  url: string;
  item?: string | undefined;
}

/** Records an event. `view` begins a new page view. */
export type Emit = (event: string, fields?: EventRecord) => void;

/** What an instrumentation may know of the page. */
export interface Page {
  /** Listens until the tracker stops; what `handler` throws never reaches the page. */
  readonly listen: Listen;
  /** The current view. */
  view(): View;
  /**
   * Calls `listener` when the page may be gone next, and with `ended` when its view makes room
   * for another. Events that it emits still belong to the view that ends.
   */
  onLeave(listener: (ended?: boolean) => void): void;
  /**
   * Counts an error in its group; one without a message is none. Where `errors` is off or has yet
   * to begin it is not there: take it in a listener only, which may throw.
   */
  report(error: ReportedError): void;
  /** What failed before `resources` was there to look. Not there where `errors` is off. */
  early: Event[];
}

/** What the `errors` instrumentation makes an event of: an ErrorEvent, or what looks like one. */
export interface ReportedError {
  message?: string | undefined;
  /** Where it happened, or the address that failed. */
  filename?: string | undefined;
  lineno?: number;
  colno?: number;
  error?: { readonly stack?: string };
  /** Of a rejection. */
  reason?: { readonly stack?: string; toString(): string };
  /** What it is, if not an error of a script. */
  kind?: string;
}

/** Observes one thing, until the tracker stops. */
export type Instrumentation = (emit: Emit, options: Options & Page) => void;

/** Instrumentations by name; an option of that name which is `false` leaves one out. */
export type Instrumentations = Readonly<Record<string, Instrumentation>>;

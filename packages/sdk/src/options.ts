/** A list in code (`['csv', 'kml']`) or in a data attribute (`csv, kml`). */
export type List = string | readonly string[];

/** One event before it is sent: flat, with the known keys of the collector and any others. */
export type EventRecord = Record<string, unknown>;

/**
 * How a page is measured. On a script tag each is a data attribute: `data-app="portal"`,
 * `data-hash`, `data-formats="csv, kml"`, `data-errors="false"`.
 */
export interface Options {
  /** Base URL of the collector; events go to `<endpoint>/tick`. Default: the script's folder. */
  endpoint?: string;
  /** The site, where a collector serves several. */
  app?: string;
  /** What the page is about. Holds until the URL changes. */
  item?: string;
  /** A write key, for collectors that ask for one. */
  key?: string;
  /** The application's own id of the visitor. Never sent where GPC or DNT is on. */
  visitor?: string;
  /** The application's own id of the session. Never sent where GPC or DNT is on. */
  session?: string;

  /** `#…` is part of the address: its changes are page views. Default: false. */
  hash?: boolean;
  /** `replaceState` to another path is a page view. Default: true. */
  replace?: boolean;
  /** A push that changes only the query is a page view. Default: true. */
  query?: boolean;
  /** Tabs opened in the background count before they are looked at. Default: false. */
  background?: boolean;
  /** File endings that make a link a download, instead of the built-in list. */
  formats?: List;

  /** Page views by themselves. Default: true; `view()` always works. */
  views?: boolean;
  /** Engaged time and scroll depth. Default: true. */
  engagement?: boolean;
  /** Clicks on links to files. Default: true. */
  downloads?: boolean;
  /** Clicks on links to other hosts. Default: true. */
  outbound?: boolean;
  /** Clicks on elements with `data-metronome-event`. Default: true. */
  actions?: boolean;
  /** Uncaught errors and rejections; with vitals loaded, failed resources and CSP violations. */
  errors?: boolean;
  /** Web vitals, and at idle whatever else is loaded with them. Default: true. */
  vitals?: boolean;

  /** `pending` holds everything in memory until `consent()` is called. Default: `granted`. */
  consent?: 'granted' | 'pending' | 'denied';
  /** What GPC and DNT mean: counted without visitor, session and agent, or not at all. */
  respect?: 'count' | 'drop';
  /** Share of page loads that are measured, 0 to 1. Default: 1. */
  sample?: number | string;
  /** Query parameters whose values never leave the page, in whatever text they occur. */
  scrub?: List;
  /** Sees each event before it is queued; what it returns is sent, nothing is sent for a falsy. */
  beforeSend?: (event: EventRecord) => EventRecord | null | undefined | false;
}

/** The items of a `List` as an alternation for a RegExp. */
export const alternation = (list: List): string => String(list).replace(/[\s,]+/g, '|');

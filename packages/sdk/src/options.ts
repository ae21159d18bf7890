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
  /** `utm_…` parameters of the address. Default: true. */
  campaign?: boolean;
  /** Clicks on links to files. Default: true. */
  downloads?: boolean;
  /** Clicks on links to other hosts. Default: true. */
  outbound?: boolean;
  /** Clicks on elements with `data-metronome-event`. Default: true. */
  actions?: boolean;
  /** Uncaught errors and unhandled rejections. Default: true. */
  errors?: boolean;
  /** Whether to load, when the page is idle, what can wait: the three below. Default: true. */
  late?: boolean;
  /** Engaged time and scroll depth. Default: true. */
  engagement?: boolean;
  /** Web vitals. Default: true. */
  vitals?: boolean;
  /** What failed to load or was blocked by the page's Content Security Policy. Default: true. */
  resources?: boolean;

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

/** The items of a `List`, each of which may be a regular expression, as one. */
export const alternation = (list: List): string => String(list).replace(/, */g, '|');

/** Matches the values of these parameters, also in addresses within addresses. */
export const secretsPattern = (scrub: List): RegExp =>
  new RegExp(`((\\b|%\\w\\w)(${alternation(scrub)})(=|%3D))[^&#"\\\\\\s]*`, 'gi');

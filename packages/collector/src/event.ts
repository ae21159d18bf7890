/**
 * The event at rest: what intake writes to the journal, one JSON object on one line, and what
 * both stores keep. It is flat; its keys are Elastic Common Schema names where one exists,
 * OpenTelemetry's for sessions and web vitals, and Logstash's `@timestamp`, `@version`, `tags`.
 * Absent means absent: there are no nulls and no empty strings.
 *
 * The journal puts three keys before those of intake, the event's place (see `Place`).
 */
export interface StoredEvent {
  /** When it happened, corrected, ISO 8601 in UTC with milliseconds. Every range asks for this. */
  '@timestamp': string;
  '@version': '1';
  /** Receipt by the collector, ISO 8601 UTC. */
  'event.ingested': string;
  /** The client's own time, never corrected: with `event.id` it names the event. ISO 8601 UTC. */
  'event.created'?: string;
  /** The client's id. Absent: the event's place in the journal is its identity. */
  'event.id'?: string;
  /** What happened: `view`, `download`, `outbound`, `error`, `vital`, `engagement`, `log`, or the application's. */
  'event.action': string;
  /** The site or application, `default` when it names none. */
  'service.name': string;
  item?: string;
  'url.full'?: string;
  'url.domain'?: string;
  'url.path'?: string;
  title?: string;
  /** The referrer as the client gave it; the previous page's URL inside the site. */
  'http.request.referrer'?: string;
  /** `host` or `host/path` of a referrer outside the site's own hosts. */
  referer?: string;
  'http.request.method'?: string;
  'http.response.status_code'?: number;
  /** Format of a download, lower case. */
  'file.extension'?: string;
  /** URL of the downloaded file. */
  'file.path'?: string;
  'session.id'?: string;
  /** One page view. */
  'page.id'?: string;
  /** The visitor: the application's own id, or a keyed hash that lasts one day. */
  'user.id'?: string;
  /** True where `user.id` is the daily hash. */
  'visitor.daily'?: true;
  /** Milliseconds. */
  duration?: number;
  'browser.web_vital.name'?: string;
  'browser.web_vital.value'?: number;
  'browser.web_vital.rating'?: string;
  message?: string;
  'error.message'?: string;
  'error.stack_trace'?: string;
  /** Same for errors of one cause: what `errors` groups by. */
  'error.grouping_key'?: string;
  'log.origin.file.name'?: string;
  'log.origin.file.line'?: number;
  'log.origin.file.column'?: number;
  'user_agent.name'?: string;
  /** Major version. */
  'user_agent.version'?: string;
  'user_agent.os.name'?: string;
  /** `desktop`, `mobile`, `tablet`, `tv`, `console`, `wearable`, `embedded`. */
  'user_agent.device.type'?: string;
  'browser.language'?: string;
  /** True for traffic that answers leave out by default: bots and referrer spam; `tags` says which. */
  bot?: true;
  /** Marks made at intake, see `TAGS`. */
  tags?: readonly string[];
  /** The application's keys as text; numbers appear here too, in their shortest decimal form. */
  labels?: Readonly<Record<string, string | readonly string[]>>;
  /** The application's numeric keys. */
  metrics?: Readonly<Record<string, number | readonly number[]>>;
}

/** Where an event lies in a journal: unique over all collectors, and what `audit` counts by. */
export interface Place {
  /** Id of the journal, made once for a data folder (and worker). */
  'journal.collector': string;
  /** The segment, named by the sequence of its first event. */
  'journal.segment': number;
  /** Counts the events of one journal from 1 without gaps. */
  'journal.sequence': number;
}

/** A line of the journal, parsed. */
export type JournaledEvent = Place & StoredEvent;

/** Marks that intake puts into `tags`. */
export const TAGS = {
  bot: 'bot',
  referrerSpam: 'referrer_spam',
  /** The client's clock was off by more than five minutes. */
  clockCorrected: 'clock_corrected',
  /** The client's time lay more than an hour ahead and was taken as now. */
  clockAhead: 'clock_ahead',
  /** Global Privacy Control or Do Not Track: kept without visitor, session and agent. */
  privacy: 'privacy',
  /** An error of a browser extension or of a cross-origin script. */
  noise: 'noise',
} as const satisfies Record<string, string>;

export type FieldType = 'keyword' | 'number' | 'time' | 'boolean';

export interface Field {
  /** Its key at rest. */
  readonly at: keyof StoredEvent | keyof Place;
  readonly type: FieldType;
  /** May hold several values. */
  readonly many?: true;
}

/**
 * The fields that queries know by name. Any other name is a key of the application: text under
 * `labels`, numbers under `metrics`.
 */
export const FIELDS = {
  time: { at: '@timestamp', type: 'time' },
  received: { at: 'event.ingested', type: 'time' },
  client_time: { at: 'event.created', type: 'time' },
  id: { at: 'event.id', type: 'keyword' },
  event: { at: 'event.action', type: 'keyword' },
  app: { at: 'service.name', type: 'keyword' },
  item: { at: 'item', type: 'keyword' },
  url: { at: 'url.full', type: 'keyword' },
  host: { at: 'url.domain', type: 'keyword' },
  path: { at: 'url.path', type: 'keyword' },
  title: { at: 'title', type: 'keyword' },
  referrer: { at: 'http.request.referrer', type: 'keyword' },
  referer: { at: 'referer', type: 'keyword' },
  method: { at: 'http.request.method', type: 'keyword' },
  status: { at: 'http.response.status_code', type: 'number' },
  format: { at: 'file.extension', type: 'keyword' },
  file: { at: 'file.path', type: 'keyword' },
  session: { at: 'session.id', type: 'keyword' },
  page: { at: 'page.id', type: 'keyword' },
  visitor: { at: 'user.id', type: 'keyword' },
  visitor_daily: { at: 'visitor.daily', type: 'boolean' },
  duration: { at: 'duration', type: 'number' },
  name: { at: 'browser.web_vital.name', type: 'keyword' },
  value: { at: 'browser.web_vital.value', type: 'number' },
  rating: { at: 'browser.web_vital.rating', type: 'keyword' },
  message: { at: 'message', type: 'keyword' },
  stack: { at: 'error.stack_trace', type: 'keyword' },
  fingerprint: { at: 'error.grouping_key', type: 'keyword' },
  source: { at: 'log.origin.file.name', type: 'keyword' },
  line: { at: 'log.origin.file.line', type: 'number' },
  column: { at: 'log.origin.file.column', type: 'number' },
  browser: { at: 'user_agent.name', type: 'keyword' },
  browser_version: { at: 'user_agent.version', type: 'keyword' },
  os: { at: 'user_agent.os.name', type: 'keyword' },
  device: { at: 'user_agent.device.type', type: 'keyword' },
  language: { at: 'browser.language', type: 'keyword' },
  bot: { at: 'bot', type: 'boolean' },
  tags: { at: 'tags', type: 'keyword', many: true },
  collector: { at: 'journal.collector', type: 'keyword' },
  segment: { at: 'journal.segment', type: 'number' },
  sequence: { at: 'journal.sequence', type: 'number' },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof FIELDS;

/** Limits of one event, checked at intake; over one of them the event is refused. */
export const EVENT_LIMITS = {
  idBytesMax: 128,
  appBytesMax: 64,
  itemBytesMax: 1024,
  keysMax: 256,
  keyBytesMax: 256,
  /** Longer text is cut, never refused: a long URL or stack must not cost the event. */
  valueBytesMax: 8192,
  nestingMax: 8,
  arrayValuesMax: 64,
} as const;

/**
 * The known keys of the wire: for each field of a `WireEvent` the names under which it may come,
 * by what its value must be. Of several names in one event the first counts; the others, and
 * values of another type, are the application's keys. `docs/events.md` is tested against this.
 *
 * After the first name come the names of Elastic Common Schema, which are also those at rest,
 * and those that shippers use.
 */
export const WIRE_KEYS = {
  /** Text. */
  text: {
    event: ['event', 'event.action'],
    url: ['url', 'url.full', 'url.original'],
    title: ['title'],
    referrer: ['referrer', 'referer', 'http.request.referrer'],
    format: ['format', 'file.extension'],
    file: ['file', 'file.path'],
    rating: ['rating', 'browser.web_vital.rating'],
    message: ['message'],
    errorMessage: ['error.message'],
    stack: ['stack', 'error.stack_trace'],
    source: ['source', 'log.origin.file.name'],
    fingerprint: ['fingerprint', 'error.grouping_key'],
    userAgent: ['user_agent', 'user_agent.original'],
    browser: ['browser', 'user_agent.name'],
    browserVersion: ['browser_version', 'user_agent.version'],
    os: ['os', 'user_agent.os.name'],
    device: ['device', 'user_agent.device.type'],
    language: ['language', 'browser.language'],
    method: ['method', 'http.request.method'],
  },
  /** Text, or a number, which is taken as text. */
  name: {
    id: ['id', 'event.id'],
    app: ['app', 'service.name'],
    item: ['item', 'item_id'],
    pageItem: ['page_item'],
    session: ['session', 'session.id'],
    page: ['page', 'page.id'],
    visitor: ['visitor', 'user.id'],
    name: ['name', 'browser.web_vital.name'],
  },
  /** A finite number, or its decimal form as text. */
  number: {
    duration: ['duration'],
    value: ['value', 'browser.web_vital.value'],
    line: ['line', 'log.origin.file.line'],
    column: ['column', 'log.origin.file.column'],
    status: ['status', 'http.response.status_code'],
  },
  /** `true`, `1`, or a name of the signal; off: `false`, `0`. */
  flag: {
    privacy: ['privacy', 'gpc', 'dnt'],
    noise: ['noise'],
    bot: ['bot'],
  },
  /** See `time.ts`, also for which of several counts. */
  time: {
    time: ['time'],
    timestamp: ['timestamp'],
    atTimestamp: ['@timestamp'],
    date: ['date'],
    sent: ['sent'],
  },
  /** Used to tell visitors apart and never kept, whatever their type. */
  address: {
    address: [
      'ip',
      'client_ip',
      'remote_addr',
      'source.ip',
      'source.address',
      'client.ip',
      'client.address',
      'clientip',
    ],
  },
  /** Text or an array of texts, added to the marks of intake. */
  tags: { tags: ['tags'] },
} as const satisfies Record<string, Record<string, readonly [string, ...string[]]>>;

export type TextField = keyof typeof WIRE_KEYS.text;
export type NameField = keyof typeof WIRE_KEYS.name;
export type NumberField = keyof typeof WIRE_KEYS.number;
export type FlagField = keyof typeof WIRE_KEYS.flag;
export type TimeField = keyof typeof WIRE_KEYS.time;

/**
 * Names that mean a known key only in an event that is a line of an access log (see
 * `access-log.ts`); elsewhere they are the application's. In the order in which they count.
 * Of Logstash's grok patterns, Fluentd's apache2 and nginx parsers, Vector's parse functions,
 * and the variables of nginx.
 */
export const ACCESS_LOG_KEYS = {
  method: ['verb', 'request_method'],
  url: ['request_uri', 'uri', 'request', 'path'],
  status: ['response', 'status_code', 'code'],
  referrer: ['http_referer'],
  userAgent: ['agent', 'ua', 'http_user_agent', 'userAgent'],
  address: ['remote', 'client', 'remote_host', 'host'],
  host: ['http_host', 'server_name', 'vhost', 'host'],
  time: ['time_iso8601', 'time_local', 'msec'],
} as const satisfies Record<string, readonly string[]>;

/**
 * Keys that are never kept, because they hold an address: by the last part of a dotted name, in
 * any case. `host.ip` is one, `http.request.headers.X-Forwarded-For` another.
 */
export const ADDRESS_NAMES: ReadonlySet<string> = new Set([
  'ip',
  'ip_address',
  'ipaddress',
  'client_ip',
  'clientip',
  'clientaddr',
  'clienthost',
  'remote_addr',
  'remote_ip',
  'remoteip',
  'real_ip',
  'source_ip',
  'src_ip',
  'user_ip',
  'forwarded',
  'x-forwarded-for',
  'x_forwarded_for',
  'http_x_forwarded_for',
  'proxy_add_x_forwarded_for',
  'x-real-ip',
  'x_real_ip',
  'http_x_real_ip',
  'true-client-ip',
  'cf-connecting-ip',
]);

/** Not kept: a version that every event has, and a second copy of the line with its address. */
export const DROPPED_KEYS: ReadonlySet<string> = new Set(['@version', 'event.original']);

import type { JournaledEvent } from '../../event.ts';

/**
 * The tables. `events` holds each event under its keys at rest, so that a reader of the file, a
 * line of the journal and a document in Kibana have one vocabulary; `@version` is always 1 and
 * left out.
 *
 * `labels` and `metrics` stay JSON: measured over a million events of four keys, a JSON pointer
 * finds a key in 11 to 22 ns, a MAP in 18 to 30 ns and a VARIANT in 400 to 800 ns, and JSON is
 * read from a line twice as fast as a MAP and comes back exactly as it was.
 *
 * `tallies` is one row for each segment of each journal. The cursor of a journal is the end of
 * its last tally, so both move in the commit that stores the events; `batch` is the last that the
 * segment had a part of.
 *
 * `tombstones` names the erased events until their day expires. `scrubs` has a row while bytes of
 * erased events may be left in the file (see `scrub`).
 */
export const EVENT_COLUMNS = {
  'journal.collector': 'VARCHAR NOT NULL',
  'journal.segment': 'BIGINT NOT NULL',
  'journal.sequence': 'BIGINT NOT NULL',
  '@timestamp': 'TIMESTAMP NOT NULL',
  'event.ingested': 'TIMESTAMP NOT NULL',
  'event.created': 'TIMESTAMP',
  'event.id': 'VARCHAR',
  'event.action': 'VARCHAR NOT NULL',
  'service.name': 'VARCHAR NOT NULL',
  item: 'VARCHAR',
  'url.full': 'VARCHAR',
  'url.domain': 'VARCHAR',
  'url.path': 'VARCHAR',
  title: 'VARCHAR',
  'http.request.referrer': 'VARCHAR',
  referer: 'VARCHAR',
  'http.request.method': 'VARCHAR',
  'http.response.status_code': 'DOUBLE',
  'file.extension': 'VARCHAR',
  'file.path': 'VARCHAR',
  'session.id': 'VARCHAR',
  'page.id': 'VARCHAR',
  'user.id': 'VARCHAR',
  'visitor.daily': 'BOOLEAN',
  duration: 'DOUBLE',
  'browser.web_vital.name': 'VARCHAR',
  'browser.web_vital.value': 'DOUBLE',
  'browser.web_vital.rating': 'VARCHAR',
  message: 'VARCHAR',
  'error.message': 'VARCHAR',
  'error.stack_trace': 'VARCHAR',
  'error.grouping_key': 'VARCHAR',
  'log.origin.file.name': 'VARCHAR',
  'log.origin.file.line': 'DOUBLE',
  'log.origin.file.column': 'DOUBLE',
  'user_agent.name': 'VARCHAR',
  'user_agent.version': 'VARCHAR',
  'user_agent.os.name': 'VARCHAR',
  'user_agent.device.type': 'VARCHAR',
  'browser.language': 'VARCHAR',
  bot: 'BOOLEAN',
  tags: 'VARCHAR[]',
  labels: 'JSON',
  metrics: 'JSON',
} as const satisfies Record<Exclude<keyof JournaledEvent, '@version'>, string>;

export type EventColumn = keyof typeof EVENT_COLUMNS;

export const eventColumns = Object.keys(EVENT_COLUMNS) as readonly EventColumn[];

export function columnType(column: EventColumn): string {
  return EVENT_COLUMNS[column].replace(' NOT NULL', '');
}

export function isRequired(column: EventColumn): boolean {
  return EVENT_COLUMNS[column].endsWith(' NOT NULL');
}

/** An identifier in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text constant in SQL, for what cannot be a parameter: file names and column lists. */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * - `texts`, `numbers`: the values of a key (as a JSON pointer, which unlike a path can name any)
 *   in `labels` or `metrics` as a list, null where it has none; each text once
 * - `exact`: a text that the client reads exactly; its decoder drops a byte order mark from the
 *   beginning, so a text that begins with one gets another
 * - `filed`: the time by whose UTC day an event is kept and expires: the client's own; that of
 *   receipt without one; the corrected one for a clock that is far off (as on Elasticsearch, whose
 *   daily indices go by it)
 * - `tombstone`: a hash of what names an event: app, id (or the name of its place) and client time,
 *   or the day of receipt
 */
const MACROS_SQL: readonly string[] = [
  `CREATE OR REPLACE MACRO texts(object, key) AS CASE
    WHEN json_type(object, key) = 'ARRAY'
      THEN list_distinct(json_extract_string(json_extract(object, key), '$[*]'))
    WHEN json_type(object, key) IS NOT NULL THEN [json_extract_string(object, key)] END`,
  `CREATE OR REPLACE MACRO numbers(object, key) AS CAST(CASE
    WHEN json_type(object, key) = 'ARRAY'
      THEN json_extract_string(json_extract(object, key), '$[*]')
    WHEN json_type(object, key) IS NOT NULL THEN [json_extract_string(object, key)] END
    AS DOUBLE[])`,
  `CREATE OR REPLACE MACRO exact(text) AS CASE
    WHEN starts_with(text, '\u{FEFF}') THEN '\u{FEFF}' || text ELSE text END`,
  `CREATE OR REPLACE MACRO filed("time", received, created) AS CASE
    WHEN created IS NULL THEN received
    WHEN created > received + INTERVAL 1 DAY THEN "time"
    WHEN created <> "time" AND created < received - INTERVAL 90 DAY THEN "time"
    ELSE created END`,
  `CREATE OR REPLACE MACRO tombstone(app, id, created, received_day) AS md5_number(CAST(json_array(
    app, id, CASE WHEN created IS NULL THEN CAST(received_day AS VARCHAR)
      ELSE CAST(epoch_ms(created) AS VARCHAR) || ' ms' END) AS VARCHAR))`,
];

/** The day of a row of `events` by which it is kept. */
export const FILED_DAY = 'CAST(filed("@timestamp", "event.ingested", "event.created") AS DATE)';

/** `batch` numbers the appended batches: what has come since is found without a look at the rest. */
export const EVENTS_DEFINITION: string = [
  ...eventColumns.map((column) => `${quoted(column)} ${EVENT_COLUMNS[column]}`),
  'batch BIGINT',
].join(', ');

/** Makes what is missing; a column that a later version adds is added, and null in old events. */
export const SCHEMA_SQL: readonly string[] = [
  ...MACROS_SQL,
  `CREATE TABLE IF NOT EXISTS events (${EVENTS_DEFINITION})`,
  ...eventColumns
    .filter((column) => !isRequired(column))
    .map(
      (column) =>
        `ALTER TABLE events ADD COLUMN IF NOT EXISTS ${quoted(column)} ${columnType(column)}`,
    ),
  'ALTER TABLE events ADD COLUMN IF NOT EXISTS batch BIGINT DEFAULT 1',
  `CREATE TABLE IF NOT EXISTS tallies (
    collector VARCHAR, segment BIGINT, last BIGINT NOT NULL,
    stored BIGINT NOT NULL, duplicates BIGINT NOT NULL, rejected BIGINT NOT NULL,
    erased BIGINT NOT NULL, expired BIGINT NOT NULL, batch BIGINT,
    PRIMARY KEY (collector, segment))`,
  'ALTER TABLE tallies ADD COLUMN IF NOT EXISTS batch BIGINT DEFAULT 1',
  'CREATE TABLE IF NOT EXISTS tombstones (day DATE NOT NULL, tombstone UHUGEINT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS scrubs (asked TIMESTAMP NOT NULL)',
];

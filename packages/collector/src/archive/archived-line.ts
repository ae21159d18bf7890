import { FIELDS, type Field, type FieldType, type StoredEvent } from '../event.ts';
import { filedTime } from '../filed-time.ts';
import { isRecord } from '../is-record.ts';
import { placeName, readPlaceName } from '../place-name.ts';

/** An event of an archive or an export, as it goes to a journal again. */
export interface ArchivedEvent {
  /** Without its place, which will be another; with the name that it had. */
  readonly line: string;
  /** Its `filedTime`. */
  readonly filedAt: number;
}

/** Why a line is no event. */
export interface NoEvent {
  readonly reason: string;
}

type Members = Readonly<Record<string, unknown>>;

const REQUIRED: ReadonlySet<string> = new Set([
  '@timestamp',
  'event.ingested',
  'event.action',
  'service.name',
] satisfies readonly (keyof StoredEvent)[]);

const PLACE = ['journal.collector', 'journal.segment', 'journal.sequence'];
/** How intake begins a line: stores read the facts of one that begins so without parsing it. */
const HEAD = ['@timestamp', '@version', 'event.ingested', 'event.created', 'event.id'];

/** Reads a line that a collector once wrote, or that somebody wrote instead of it. */
export function readArchivedLine(text: string): ArchivedEvent | NoEvent {
  const event = objectIn(text);
  if (event === undefined) return { reason: 'not a JSON object' };
  const wrong = wrongField(event) ?? wrongKeys(event);
  if (wrong !== undefined) return { reason: wrong };
  const id = event['event.id'] ?? firstPlaceName(event);
  if (id === undefined) return { reason: 'neither `event.id` nor a place in a journal' };
  const named: Members = { ...event, '@version': '1', 'event.id': id };
  const others = Object.keys(named).filter((key) => !HEAD.includes(key) && !PLACE.includes(key));
  const ordered = [...HEAD, ...others].map((key) => [key, named[key]] as const);
  return { line: JSON.stringify(Object.fromEntries(ordered)), filedAt: filedAtOf(event) };
}

const TYPE_NAMES = {
  keyword: 'text',
  number: 'number',
  boolean: 'boolean',
  time: 'time in UTC with milliseconds',
} as const satisfies Record<FieldType, string>;

/** The first field that is not there or not of its type. */
function wrongField(event: Members): string | undefined {
  for (const field of Object.values<Field>(FIELDS)) {
    const { at } = field;
    const value = event[at];
    if (value === undefined && REQUIRED.has(at)) return `\`${at}\` is missing`;
    if (value !== undefined && !isOf(field, value)) return `\`${at}\` is no ${nameOf(field)}`;
  }
  return undefined;
}

function nameOf({ type, many }: Field): string {
  return many === true ? 'list of texts' : TYPE_NAMES[type];
}

function isOf({ type, many }: Field, value: unknown): boolean {
  if (many === true) return Array.isArray(value) && value.every(isText);
  switch (type) {
    case 'keyword':
      return isText(value);
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'time':
      return isText(value) && isTime(value);
  }
}

/** Keys of the application: texts, and numbers. */
function wrongKeys(event: Members): string | undefined {
  if (!areAll(event['labels'], isText)) return '`labels` are not all texts';
  return areAll(event['metrics'], Number.isFinite) ? undefined : '`metrics` are not all numbers';
}

function areAll(keys: unknown, isOne: (value: unknown) => boolean): boolean {
  if (keys === undefined) return true;
  return (
    isRecord(keys) &&
    Object.values(keys).every((value) => (Array.isArray(value) ? value.every(isOne) : isOne(value)))
  );
}

function firstPlaceName(event: Members): string | undefined {
  const { 'journal.collector': collector, 'journal.sequence': sequence } = event;
  if (!isText(collector) || typeof sequence !== 'number') return undefined;
  const name = placeName({ collector, sequence });
  return readPlaceName(name) === undefined ? undefined : name;
}

function filedAtOf(event: Members): number {
  const at = (key: keyof StoredEvent): number => Date.parse(String(event[key]));
  return filedTime({
    time: at('@timestamp'),
    received: at('event.ingested'),
    created: event['event.created'] === undefined ? undefined : at('event.created'),
  });
}

function objectIn(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** ISO 8601 in UTC with milliseconds, as intake writes it. */
function isTime(text: string): boolean {
  const at = Date.parse(text);
  return at >= 0 && new Date(at).toISOString() === text;
}

import { addKey, type ApplicationKeys } from './application-keys.ts';
import { BROKEN } from './body.ts';
import { flatten, isNested, type Scalar } from './flatten.ts';
import { createKeyTable, type KeyEntry, rankOf } from './key-table.ts';
import type { FlagField, NameField, NumberField, TextField, TimeField } from './keys.ts';
import type { EventLimits } from './options.ts';
import { type Refusal, REFUSALS } from './refusals.ts';
import { cleaned, cut } from './text.ts';

type Fields<Name extends string, Value> = { [Field in Name]: Value };

/** An event as it came, its known keys by field. */
export interface WireEvent
  extends
    ApplicationKeys,
    Fields<TextField | NameField | 'address', string | undefined>,
    Fields<NumberField, number | undefined>,
    Fields<FlagField, boolean>,
    Fields<TimeField, Scalar | readonly Scalar[] | undefined> {
  tags: readonly string[];
  /** The application's keys that begin with `utm_`. */
  campaignKeys: readonly string[];
  /** What means something only in a line of an access log. */
  accessLog: Map<string, Scalar> | undefined;
  /** The site's host, of a line that has only the path. */
  host: string | undefined;
  /** Texts that must not be kept, wherever they occur. */
  addresses: readonly string[];
}

/** Reads one value of a body into an empty `wire`; `escapes`: see `BodyValues`. */
export type ReadWire = (value: unknown, wire: WireEvent, escapes: boolean) => Refusal | undefined;

/** The keys have to be gone through again: some are nested, or several name one field. */
const AGAIN: unique symbol = Symbol('again');
type Stop = Refusal | typeof AGAIN | undefined;

/** How the keys are gone through: quickly at first, as nearly all events allow it. */
interface Pass {
  readonly escapes: boolean;
  /** Keys come in the order in which they count, so a second name is the application's. */
  readonly sorted: boolean;
}

export function createWireReader(limits: EventLimits): ReadWire {
  const entryOf = createKeyTable(limits.keyBytesMax);

  const visit = (wire: WireEvent, key: string, given: unknown, pass: Pass): Stop => {
    if (given === null || given === '' || key === '') return undefined;
    if (typeof given === 'object' && isNested(given)) return AGAIN;
    const entry = entryOf(pass.escapes ? cleaned(key) : key);
    if (entry === undefined) return REFUSALS.keyTooLong;
    const value = tidy(given as Scalar | readonly unknown[], pass.escapes);
    if (value === undefined) return REFUSALS.tooManyValues;
    return put(wire, entry, value, pass.sorted);
  };

  /** A value within the limits and without what no store takes. */
  const tidy = (
    value: Scalar | readonly unknown[],
    escapes: boolean,
  ): Scalar | readonly Scalar[] | undefined => {
    if (typeof value === 'string') {
      return cut(escapes ? cleaned(value) : value, limits.valueBytesMax);
    }
    if (typeof value !== 'object') return value;
    const parts = value.filter((part) => part !== null && part !== '') as Scalar[];
    if (parts.length > limits.arrayValuesMax) return undefined;
    return parts.map((part) => tidy(part, escapes) as Scalar);
  };

  const quickly = (event: object, wire: WireEvent, pass: Pass): Stop => {
    let keys = 0;
    for (const key in event) {
      if (++keys > limits.keysMax) return REFUSALS.tooManyKeys;
      const stop = visit(wire, key, (event as Record<string, unknown>)[key], pass);
      if (stop !== undefined) return stop;
    }
    return undefined;
  };

  const carefully = (event: object, wire: WireEvent, pass: Pass): Refusal | undefined => {
    const flat = flatten(event, limits);
    if ('reason' in flat) return flat;
    for (const [key, value] of [...flat].toSorted(([a], [b]) => rankOf(a) - rankOf(b))) {
      const stop = visit(wire, key, value, pass);
      if (stop !== undefined && stop !== AGAIN) return stop;
    }
    return undefined;
  };

  return (value, wire, escapes) => {
    if (value === BROKEN) return REFUSALS.notJson;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return REFUSALS.notAnObject;
    }
    const stop = quickly(value, wire, { escapes, sorted: false });
    if (stop !== AGAIN) return stop;
    Object.assign(wire, emptyWire());
    return carefully(value, wire, { escapes, sorted: true });
  };
}

/** Puts a value where its key says. */
function put(
  wire: WireEvent,
  entry: KeyEntry,
  value: Scalar | readonly Scalar[],
  sorted: boolean,
): Stop {
  switch (entry.kind) {
    case 'text':
    case 'name': {
      const text = entry.kind === 'name' && Number.isFinite(value) ? String(value) : value;
      if (typeof text !== 'string') break;
      if (wire[entry.field] === undefined) {
        wire[entry.field] = text;
        return undefined;
      }
      if (!sorted) return AGAIN;
      break;
    }
    case 'number': {
      const number = toNumber(value);
      if (number === undefined) break;
      if (wire[entry.field] === undefined) {
        wire[entry.field] = number;
        return undefined;
      }
      if (!sorted) return AGAIN;
      break;
    }
    case 'flag':
      if (ON.has(value)) wire[entry.field] = true;
      else if (!OFF.has(value)) break;
      return undefined;
    case 'time':
      wire[entry.field] = value;
      return undefined;
    case 'address':
      return putAddress(wire, value, sorted);
    case 'never-kept':
      if (typeof value === 'string') wire.addresses = [...wire.addresses, value];
      return undefined;
    case 'tags':
      wire.tags = [value].flat().map(String);
      return undefined;
    case 'access-log':
      if (typeof value === 'object') break;
      (wire.accessLog ??= new Map()).set(entry.key, value);
      return undefined;
    case 'dropped':
      return undefined;
    case 'campaign':
      wire.campaignKeys = [...wire.campaignKeys, entry.key];
      break;
    case 'application':
  }
  addKey(wire, entry.quoted, value);
  return undefined;
}

function putAddress(wire: WireEvent, value: Scalar | readonly Scalar[], sorted: boolean): Stop {
  if (typeof value !== 'string') return undefined;
  if (wire.address !== undefined && !sorted) return AGAIN;
  wire.address ??= value;
  wire.addresses = [...wire.addresses, value];
  return undefined;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu;
const ON: ReadonlySet<unknown> = new Set([true, 1, 'true', '1', 'gpc', 'dnt']);
const OFF: ReadonlySet<unknown> = new Set([false, 0, 'false', '0']);

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export function emptyWire(): WireEvent {
  return {
    event: undefined,
    url: undefined,
    title: undefined,
    referrer: undefined,
    format: undefined,
    file: undefined,
    rating: undefined,
    message: undefined,
    errorMessage: undefined,
    stack: undefined,
    source: undefined,
    fingerprint: undefined,
    userAgent: undefined,
    browser: undefined,
    browserVersion: undefined,
    os: undefined,
    device: undefined,
    language: undefined,
    method: undefined,
    id: undefined,
    app: undefined,
    item: undefined,
    pageItem: undefined,
    session: undefined,
    page: undefined,
    visitor: undefined,
    name: undefined,
    duration: undefined,
    value: undefined,
    line: undefined,
    column: undefined,
    status: undefined,
    privacy: false,
    noise: false,
    bot: false,
    time: undefined,
    timestamp: undefined,
    atTimestamp: undefined,
    date: undefined,
    sent: undefined,
    address: undefined,
    tags: NONE,
    campaignKeys: NONE,
    accessLog: undefined,
    host: undefined,
    addresses: NONE,
    labels: '',
    metrics: '',
  };
}

const NONE: readonly string[] = [];

import { isRecord } from '../is-record.ts';
import { holdsAddress, plainAddress, speaksOfAddress, withAddresses } from './addresses.ts';
import { addKey, type ApplicationKeys } from './application-keys.ts';
import { BROKEN } from './body.ts';
import { flatten, hasObjects, type Scalar } from './flatten.ts';
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

/** Reads one value of a body; `escapes`: see `BodyValues`. */
type ReadWire = (value: unknown, escapes: boolean) => WireEvent | Refusal;

/** The keys have to be gone through again, more carefully. */
const AGAIN: unique symbol = Symbol('again');
type Stop = Refusal | typeof AGAIN | undefined;

/** One way through the keys of an event. */
interface Pass {
  readonly wire: WireEvent;
  readonly escapes: boolean;
  /** The keys come in the order in which they count: a second name is the application's. */
  readonly sorted: boolean;
  keys: number;
  /** There were nested objects, or names with dots: with both, two names may be one. */
  nested: boolean;
  dotted: boolean;
}

export function createWireReader(limits: EventLimits): ReadWire {
  const entryOf = createKeyTable(limits.keyBytesMax);

  const visit = (pass: Pass, key: string, given: unknown): Stop => {
    if (given === null || given === '') return undefined;
    if (++pass.keys > limits.keysMax) return REFUSALS.tooManyKeys;
    const entry = entryOf(key);
    if (entry === undefined) return REFUSALS.keyTooLong;
    const value = tidy(given as Scalar | readonly unknown[], pass.escapes);
    return value === undefined ? REFUSALS.tooManyValues : put(pass, entry, value);
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

  /** As the keys come, which nearly all events allow. */
  const quickly = (pass: Pass, event: object, prefix: string, depth: number): Stop => {
    if (depth > limits.nestingMax) return REFUSALS.tooDeep;
    for (const key in event) {
      const value = (event as Readonly<Record<string, unknown>>)[key];
      if (key.includes('.')) pass.dotted = true;
      if (pass.escapes && cleaned(key) !== key) return AGAIN;
      const stop =
        typeof value !== 'object' || value === null
          ? visit(pass, prefix + key, value)
          : within(pass, value, prefix + key, depth);
      if (stop !== undefined) return stop;
    }
    if (depth > 0) pass.nested = true;
    return pass.nested && pass.dotted ? AGAIN : undefined;
  };

  const within = (pass: Pass, value: object, name: string, depth: number): Stop => {
    if (!Array.isArray(value)) return quickly(pass, value, `${name}.`, depth + 1);
    return hasObjects(value) ? AGAIN : visit(pass, name, value);
  };

  /** Each name once, those that count first. */
  const carefully = (pass: Pass, event: object): Refusal | undefined => {
    const flat = flatten(event, limits);
    if ('reason' in flat) return flat;
    for (const [key, value] of [...flat].toSorted(([a], [b]) => rankOf(a) - rankOf(b))) {
      const stop = visit(pass, key, value);
      if (stop !== undefined && stop !== AGAIN) return stop;
    }
    return undefined;
  };

  return (value, escapes) => {
    if (value === BROKEN) return REFUSALS.notJson;
    if (!isRecord(value)) return REFUSALS.notAnObject;
    const quick = newPass(escapes, false);
    const stop = quickly(quick, value, '', 0);
    if (stop !== AGAIN) return stop ?? quick.wire;
    const careful = newPass(escapes, true);
    return carefully(careful, value) ?? careful.wire;
  };
}

function newPass(escapes: boolean, sorted: boolean): Pass {
  return { wire: emptyWire(), escapes, sorted, keys: 0, nested: false, dotted: false };
}

/** Puts a value where its key says. */
function put({ wire, sorted }: Pass, entry: KeyEntry, value: Scalar | readonly Scalar[]): Stop {
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
      keepOut(wire, value);
      return undefined;
    case 'perhaps-address':
      if (!holdsAddress(value)) break;
      keepOut(wire, value);
      return undefined;
    case 'tags':
      wire.tags = [value].flat().map(String);
      return undefined;
    case 'access-log':
      if (typeof value === 'object') {
        if (!holdsAddress(value) || !speaksOfAddress(entry.key)) break;
        keepOut(wire, value);
        return undefined;
      }
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
  if (typeof value !== 'string') keepOut(wire, value);
  else if (wire.address !== undefined && !sorted) return AGAIN;
  else addAddress(wire, value);
  return undefined;
}

/** Takes an address: the first is the visitor's, and none may be kept. */
export function addAddress(wire: WireEvent, given: string): void {
  if (given === '-') return;
  wire.address ??= plainAddress(given);
  wire.addresses = withAddresses(wire.addresses, given);
}

/** Takes a value that is not kept, and whose addresses no text may keep. */
export function keepOut(wire: WireEvent, value: Scalar | readonly Scalar[]): void {
  if (typeof value !== 'object') wire.addresses = withAddresses(wire.addresses, String(value));
  else for (const one of value) keepOut(wire, one);
}

const NUMBER = /^[+-]?(?:\d{1,32}(?:\.\d{0,32})?|\.\d{1,32})(?:e[+-]?\d{1,3})?$/iu;
const ON: ReadonlySet<unknown> = new Set([true, 1, 'true', '1', 'gpc', 'dnt']);
const OFF: ReadonlySet<unknown> = new Set([false, 0, 'false', '0']);

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function emptyWire(): WireEvent {
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

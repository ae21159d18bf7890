import { speaksOfAddress } from './addresses.ts';
import {
  ACCESS_LOG_KEYS,
  ADDRESS_NAMES,
  DROPPED_KEYS,
  type FlagField,
  type NameField,
  type NumberField,
  type TextField,
  type TimeField,
  WIRE_KEYS,
} from './keys.ts';
import { isLonger, quote } from './text.ts';

/** What a key of the wire stands for. */
export type KeyEntry = {
  /** The key as JSON, for where it becomes the application's. */
  readonly quoted: string;
  readonly key: string;
  /** Place among the names of its field; the lowest counts. */
  readonly rank: number;
} & (
  | { readonly kind: 'text'; readonly field: TextField }
  | { readonly kind: 'name'; readonly field: NameField }
  | { readonly kind: 'number'; readonly field: NumberField }
  | { readonly kind: 'flag'; readonly field: FlagField }
  | { readonly kind: 'time'; readonly field: TimeField }
  | { readonly kind: 'address' | 'tags' | 'access-log' | 'campaign' | 'application' | 'dropped' }
  | { readonly kind: 'never-kept' | 'perhaps-address' }
);

/** Names of applications that are remembered; more are read all the same, only slower. */
const APPLICATION_KEYS_MAX = 4096;

/** Elasticsearch has no field of such a name. */
const BLANK = /^[\s\p{Cc}]*$/u;

const KNOWN: ReadonlyMap<string, KeyEntry> = new Map(
  knownEntries().map((entry) => [entry.key, entry]),
);

/** Looks keys up; undefined for one that is too long. */
export function createKeyTable(keyBytesMax: number): (key: string) => KeyEntry | undefined {
  let table = new Map(KNOWN);
  return (key) => {
    const entry = table.get(key);
    if (entry !== undefined) return entry;
    if (isLonger(key, keyBytesMax)) return undefined;
    if (table.size >= APPLICATION_KEYS_MAX) table = new Map(KNOWN);
    const fresh = applicationEntry(key);
    table.set(key, fresh);
    return fresh;
  };
}

/** Place of a key among the names of its field. */
export function rankOf(key: string): number {
  return KNOWN.get(key)?.rank ?? 0;
}

function knownEntries(): KeyEntry[] {
  const entries: KeyEntry[] = [];
  for (const [kind, fields] of Object.entries(WIRE_KEYS)) {
    for (const [field, names] of Object.entries<readonly string[]>(fields)) {
      names.forEach((key, rank) =>
        entries.push({ kind, field, key, quoted: quote(key), rank } as KeyEntry),
      );
    }
  }
  for (const key of Object.values(ACCESS_LOG_KEYS).flat()) {
    entries.push({ kind: 'access-log', key, quoted: quote(key), rank: 0 });
  }
  return entries;
}

function applicationEntry(key: string): KeyEntry {
  const kind = applicationKind(key);
  return { kind, key, quoted: quote(key), rank: 0 };
}

function applicationKind(
  key: string,
): 'never-kept' | 'perhaps-address' | 'dropped' | 'campaign' | 'application' {
  if (DROPPED_KEYS.has(key) || BLANK.test(key)) return 'dropped';
  const last = key.slice(key.lastIndexOf('.') + 1).toLowerCase();
  if (ADDRESS_NAMES.has(last)) return 'never-kept';
  if (key.startsWith('utm_')) return 'campaign';
  return speaksOfAddress(key) ? 'perhaps-address' : 'application';
}

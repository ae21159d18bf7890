import type { Scalar } from './flatten.ts';
import { quote, withoutLoggedAddress } from './text.ts';

/** The application's own keys, as members of a line that are not closed yet: `,"labels":{"a":"b"`. */
export interface ApplicationKeys {
  labels: string;
  metrics: string;
}

/** Where the next key goes. */
function open(members: string, name: keyof ApplicationKeys): string {
  return members === '' ? `,"${name}":{` : `${members},`;
}

/**
 * Adds a key: everything as text in `labels`, numbers in `metrics` as well. Several values are
 * kept once each in `labels`, so that an event counts once in each of them on every store.
 *
 * @param quoted the key as JSON; it was not added before
 */
export function addKey(
  keys: ApplicationKeys,
  quoted: string,
  value: Scalar | readonly Scalar[],
): void {
  if (typeof value === 'string') addLabel(keys, quoted, quote(withoutLoggedAddress(value)));
  else if (typeof value !== 'object') addScalar(keys, quoted, value);
  else if (value.length > 0) addSeveral(keys, quoted, value);
}

/**
 * Adds a known key that turned out to be the application's, unless another value has taken its
 * name: stores refuse an event that says a name twice.
 */
export function addLeftover(
  keys: ApplicationKeys,
  name: string,
  value: Scalar | readonly Scalar[],
): void {
  const quoted = quote(name);
  const isThere = [`{${quoted}:`, `,${quoted}:`].some((begin) => keys.labels.includes(begin));
  if (!isThere) addKey(keys, quoted, value);
}

function addScalar(keys: ApplicationKeys, quoted: string, value: number | boolean): void {
  addLabel(keys, quoted, `"${value}"`);
  // 1e999 is JSON, but no number that it could be written as again.
  if (Number.isFinite(value)) addMetric(keys, quoted, String(value));
}

function addSeveral(keys: ApplicationKeys, quoted: string, values: readonly Scalar[]): void {
  const [first, ...others] = new Set(values.map((value) => withoutLoggedAddress(String(value))));
  if (first === undefined) return;
  const text = others.length === 0 ? quote(first) : JSON.stringify([first, ...others]);
  addLabel(keys, quoted, text);
  const numbers = values.filter((value) => Number.isFinite(value));
  const [number, ...more] = numbers;
  if (number === undefined) return;
  addMetric(keys, quoted, more.length === 0 ? String(number) : JSON.stringify(numbers));
}

/** Keys and values as JSON. */
function addLabel(keys: ApplicationKeys, quoted: string, value: string): void {
  keys.labels = `${open(keys.labels, 'labels')}${quoted}:${value}`;
}

function addMetric(keys: ApplicationKeys, quoted: string, value: string): void {
  keys.metrics = `${open(keys.metrics, 'metrics')}${quoted}:${value}`;
}

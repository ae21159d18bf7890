import { expect, it } from 'vitest';
import { eventAt } from '../journal-lines.ts';
import { EVENT_LIMITS, type StoredEvent } from '../../../src/event.ts';
import { compareUtf8 } from '../../../src/query/order-rows.ts';
import { ofApp, type OpenStore } from './with-store.ts';

const noon = '2026-11-23T12:00:00.000Z';
const count = { kind: 'count' } as const;

/** Names that mean something to an engine or to the language, and text that breaks quoting. */
const odd: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  'labels',
  '@timestamp',
  'a.b.c',
  '.',
  '..a..',
  ' ',
  'with space ',
  '*',
  '$.a[0]',
  '%',
  '_',
  '/',
  '~1',
  '\\',
  '\\u0041',
  "'",
  '"',
  '`',
  "'; DROP TABLE events; --",
  '{"a":1}',
  '[]',
  'null',
  'NULL',
  'true',
  '1',
  '-0',
  '1e3',
  '\t',
  '\n',
  '\r\n',
  '\u0001',
  '\u007f',
  'é',
  'e\u0301',
  '日本語',
  'עברית',
  '\u{1F469}\u200D\u{1F680}',
  '\uFEFF',
  '\u2028',
];

/** Application keys of any name, values of any kind, and types that contradict each other. */
export function keyTests(open: OpenStore): void {
  // Intake drops keys of white space alone.
  const oddKeys = odd.filter((name) => /\S/u.test(name));

  it.each(oddKeys.map((name) => ({ shown: JSON.stringify(name), name })))(
    'keeps the key $shown and counts by it',
    async ({ name }) => {
      const app = open.newName();
      const labels = Object.fromEntries([[name, 'here']]);
      const metrics = Object.fromEntries([[name, 4]]);
      await open.takeEvents([
        eventAt(noon, app, { labels }),
        eventAt(noon, app, { labels: Object.fromEntries([[name, '4']]), metrics }),
        eventAt(noon, app, { labels: { other: 'there' } }),
        eventAt(noon, app),
      ]);
      expect(await open.count(app, { kind: 'exists', field: name })).toBe(2);
      expect(await open.count(app, { kind: 'equals', field: name, value: 'here' })).toBe(1);
      expect(await open.count(app, { kind: 'prefix', field: name, value: 'he' })).toBe(1);
      const rows = await open.query({
        measures: { n: count, total: { kind: 'sum', field: name } },
        dimensions: { key: { kind: 'field', field: name } },
        filter: ofApp(app),
      });
      expect(rows).toEqual([
        { key: '4', n: 1, total: 4 },
        { key: 'here', n: 1, total: 0 },
      ]);
    },
  );

  it.each(['item', 'note'])('keeps every odd value apart in %s', async (field) => {
    const app = open.newName();
    await open.takeEvents(
      odd.map((value) => eventAt(noon, app, { item: value, labels: { note: value } })),
    );
    for (const value of odd) {
      expect(await open.count(app, { kind: 'equals', field, value })).toBe(1);
    }
    const rows = await open.query({
      measures: { n: count },
      dimensions: { value: { kind: 'field', field } },
      filter: ofApp(app),
    });
    expect(rows.map((row) => row['value'])).toEqual([...odd].toSorted(compareUtf8));
  });

  it('keeps the longest key and value that intake lets through', async () => {
    const app = open.newName();
    const key = 'k'.repeat(EVENT_LIMITS.keyBytesMax);
    const value = 'ü'.repeat(EVENT_LIMITS.valueBytesMax / 2);
    const item = 'i'.repeat(EVENT_LIMITS.itemBytesMax);
    await open.takeEvents([
      eventAt(noon, app, { item, 'url.full': value, labels: { [key]: value } }),
    ]);
    expect(await open.count(app, { kind: 'equals', field: key, value })).toBe(1);
    expect(await open.count(app, { kind: 'equals', field: 'item', value: item })).toBe(1);
    expect(await open.count(app, { kind: 'equals', field: 'url', value })).toBe(1);
    expect(await open.count(app, { kind: 'prefix', field: 'url', value: 'üü' })).toBe(1);
  });

  it('keeps a number, a text and several values under one key', async () => {
    const app = open.newName();
    await open.takeEvents([
      eventAt(noon, app, { labels: { size: '3' }, metrics: { size: 3 } }),
      eventAt(noon, app, { labels: { size: 'large' } }),
      eventAt(noon, app, { labels: { size: ['4', 'huge'] }, metrics: { size: 4 } }),
      eventAt(noon, app, { labels: { size: ['1', '2'] }, metrics: { size: [1, 2] } }),
    ]);
    const measures = {
      n: count,
      total: { kind: 'sum', field: 'size' },
      least: { kind: 'min', field: 'size' },
      mean: { kind: 'average', field: 'size' },
      values: { kind: 'distinct', field: 'size' },
    } as const;
    expect(await open.query({ measures, filter: ofApp(app) })).toEqual([
      { n: 4, total: 10, least: 1, mean: 2.5, values: 6 },
    ]);
    expect(await open.count(app, { kind: 'equals', field: 'size', value: 'huge' })).toBe(1);
    expect(await open.count(app, { kind: 'range', field: 'size', gte: 2, lt: 4 })).toBe(2);
    const not = { kind: 'not', filter: { kind: 'equals', field: 'size', value: '4' } } as const;
    expect(await open.count(app, not)).toBe(3);
  });

  it('keeps numbers as exact as they came', async () => {
    const app = open.newName();
    const numbers = [0.1, -1.5, 1e21, 5e-7, Number.MAX_SAFE_INTEGER, 0];
    await open.takeEvents(
      numbers.map((n, index) =>
        eventAt(noon, app, {
          item: String(index),
          duration: n,
          labels: { n: String(n) },
          metrics: { n },
        }),
      ),
    );
    const rows = await open.query({
      measures: { n: { kind: 'max', field: 'n' }, duration: { kind: 'min', field: 'duration' } },
      dimensions: { item: { kind: 'field', field: 'item' } },
      order: [{ by: 'item', direction: 'ascending' }],
      filter: ofApp(app),
    });
    expect(rows).toEqual(numbers.map((n, index) => ({ item: String(index), n, duration: n })));
    expect(await open.count(app, { kind: 'equals', field: 'n', value: 1e21 })).toBe(1);
    expect(await open.count(app, { kind: 'equals', field: 'duration', value: 0.1 })).toBe(1);
  });

  it('takes 100,000 distinct keys', async () => {
    const app = open.newName();
    const events = Array.from({ length: 1000 }, (_, event): StoredEvent => {
      const keys = Array.from({ length: 100 }, (__, key) => [`key-${event}-${key}`, `${key}`]);
      return eventAt(noon, app, { labels: Object.fromEntries(keys) });
    });
    expect(await open.takeEvents(events)).toMatchObject({ stored: 1000, rejected: 0 });
    expect(await open.count(app, { kind: 'equals', field: 'key-999-42', value: 42 })).toBe(1);
    expect(await open.count(app, { kind: 'exists', field: 'key-0-99' })).toBe(1);
    expect(await open.count(app)).toBe(1000);
  });
}

import { beforeAll, expect, it } from 'vitest';
import type { Row } from '../../../src/query/query.ts';
import { SCAN_LIMITS, type Scan } from '../../../src/query/scan.ts';
import { all } from '../../query/cases/query-case.ts';
import { scanCases } from '../../query/cases/scans.ts';
import { catalogue } from '../../query/cases/catalogue.ts';
import { eventAt } from '../journal-lines.ts';
import { always, ofApp, type OpenStore } from './with-store.ts';

/** Events one by one: the cases, what is refused, and more than one page. */
export function scanTests(open: OpenStore): void {
  beforeAll(async () => {
    await open.takeEvents(catalogue);
  });

  const read = (scan: Scan): Promise<Row[]> => Array.fromAsync(open.store.scan(scan));

  it.each(scanCases)('reads $name', async ({ scan, rows }) => {
    expect(await read(scan)).toEqual(rows);
    expect(await open.store.explain(scan)).toMatch(/\S/);
  });

  const refused: readonly [string, Partial<Scan>, RegExp][] = [
    ['a field of several values', { fields: ['tags'] }, /tags/],
    ['a name twice', { fields: ['item', 'item'] }, /different names/],
    ['a filter that cannot be', { filter: { kind: 'range', field: 'item', gte: 1 } }, /item/],
    ['no limit', { limit: 0 }, /limit/],
    ['too many rows', { limit: SCAN_LIMITS.rowsMax + 1 }, /limit/],
    ['a range that runs backwards', { range: { from: 2, to: 1 } }, /range/],
  ];
  it.each(refused)('refuses %s', async (_, part, message) => {
    const scan: Scan = { fields: ['item'], range: all, limit: 10, ...part };
    await expect(read(scan)).rejects.toThrow(message);
    await expect(open.store.explain(scan)).rejects.toThrow(message);
  });

  it('reads more than a page, each event once, and of the newest visitors alone', async () => {
    const app = open.newName();
    const visitors = 3_000;
    await open.takeEvents(
      Array.from({ length: 25_000 }, (_, index) =>
        eventAt(new Date(Date.UTC(2026, 10, 1) + index * 1000).toISOString(), app, {
          ...(index % 10 > 0 && { 'user.id': `visitor-${index % visitors}` }),
        }),
      ),
    );
    const scan: Scan = {
      fields: ['visitor', 'sequence'],
      filter: ofApp(app),
      range: always,
      limit: SCAN_LIMITS.rowsMax,
    };
    const rows = await read(scan);
    expect(new Set(rows.map(({ sequence }) => sequence)).size).toBe(25_000);
    expect(rows.at(-1)).toMatchObject({ visitor: null, sequence: 24_991 });
    const newest = await read({ ...scan, visitors: { having: ofApp(app), limit: 900 } });
    const expected = rows.filter(({ visitor }) => {
      const index = Number(String(visitor).slice('visitor-'.length));
      return visitor !== null && (index + visitors - 1_000) % visitors >= 2_000;
    });
    expect(newest).toEqual(expected);
    expect(await read({ ...scan, limit: 12_345 })).toEqual(rows.slice(0, 12_345));
  });
}

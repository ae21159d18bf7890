import { describe, expect, it } from 'vitest';
import { compile, compileScan } from '../../../src/store/duckdb/compile.ts';
import { queryCases } from '../../query/cases/all-cases.ts';
import { scanCases } from '../../query/cases/scans.ts';

describe('SQL', () => {
  it.each(queryCases)('of $name', async ({ name, query }) => {
    const { sql, params } = compile(query);
    const bound = params.map((value, index) => `-- $${index + 1} = ${JSON.stringify(value)}`);
    const text = [sql, ...bound, ''].join('\n');
    await expect(text).toMatchFileSnapshot(`../../query/cases/sql/${name}.sql`);
  });

  it.each(scanCases)('of the scan of $name', async ({ name, scan }) => {
    const { sql, params } = compileScan(scan);
    const bound = params.map((value, index) => `-- $${index + 1} = ${JSON.stringify(value)}`);
    const file = `scan-${name.replaceAll(/\W+/gu, '-')}.sql`;
    await expect([sql, ...bound, ''].join('\n')).toMatchFileSnapshot(
      `../../query/cases/sql/${file}`,
    );
  });

  it('holds no value of the query', () => {
    const value = "x'); DROP TABLE events; --";
    const { sql } = compile({
      measures: {
        n: { kind: 'count', where: { kind: 'equals', field: value, value } },
        p: { kind: 'percentile', field: value, at: 99.5 },
      },
      dimensions: {
        d: { kind: 'field', field: value },
        e: { kind: 'field', field: 'item', missing: value },
      },
      filter: {
        kind: 'and',
        filters: [
          { kind: 'in', field: 'item', values: [value, 'y'] },
          { kind: 'prefix', field: value, value },
          { kind: 'range', field: 'value', gte: 4711.5, lt: 4712.5 },
        ],
      },
      range: { from: 1_234_567_890, to: 9_876_543_210 },
    });
    expect(sql).not.toMatch(/DROP|4711|4712|1234567890|9876543210|99\.5|0\.995/);
  });
});

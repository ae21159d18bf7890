import { DuckDBInstance } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { inlined, type Param, Session } from '../../../src/store/duckdb/session.ts';

const paramArb: fc.Arbitrary<Param> = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom("'", "''", '$1', '"', '\\', "';--", '\0', '\u{FEFF}', '\u{1F600}', "E'\\x41'"),
  fc.double({ noNaN: true, noInteger: true }),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
);

it('a statement with its values written out gives what it gives with them bound', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const session = new Session(await instance.connect());
  await fc.assert(
    fc.asyncProperty(fc.array(paramArb, { minLength: 1, maxLength: 12 }), async (params) => {
      const columns = params.map((_, n) => `$${n + 1} AS "$1 ""$2"" '${n}", '$1 ''$2'`);
      const statement = { sql: `SELECT ${columns.join(', ')}`, params };
      expect(await session.ask(statement)).toEqual(await session.rows(statement.sql, params));
    }),
  );
  session.close();
  instance.closeSync();
});

it('what the parser would end at stays bound', () => {
  expect(inlined({ sql: 'SELECT $1', params: ['a\0b'] })).toBeUndefined();
  expect(inlined({ sql: 'SELECT $2, $1', params: ["it's", 5] })).toBe("SELECT 5, 'it''s'");
});

import { expect, it } from 'vitest';
import { compile, compileNewest, compileScan } from '../../../src/store/elasticsearch/compile.ts';
import { queryCases } from '../../query/cases/all-cases.ts';
import { scanCases } from '../../query/cases/scans.ts';

it.each(queryCases)('compiles $name', ({ query }) => {
  expect(compile(query)).toMatchSnapshot();
});

it.each(scanCases)('compiles the scan of $name', ({ scan }) => {
  const { visitors } = scan;
  if (visitors) expect(compileNewest({ ...scan, visitors })).toMatchSnapshot();
  expect(compileScan(scan, visitors && ['a', 'b'])).toMatchSnapshot();
});

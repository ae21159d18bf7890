import { expect, it } from 'vitest';
import { compile } from '../../../src/store/elasticsearch/compile.ts';
import { queryCases } from '../../query/cases/all-cases.ts';

it.each(queryCases)('compiles $name', ({ query }) => {
  expect(compile(query)).toMatchSnapshot();
});

import { dimensions } from './dimensions.ts';
import { filters } from './filters.ts';
import { measures } from './measures.ts';
import type { QueryCase } from './query-case.ts';

export const queryCases: readonly QueryCase[] = [...measures, ...dimensions, ...filters];

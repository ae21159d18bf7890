import { MetronomeError } from '../../errors.ts';
import { resolveField } from '../../query/field.ts';
import type { Filter } from '../../query/query.ts';
import { type Asked, queryOf } from './compile.ts';
import type { Search } from './searches.ts';
import { NUMERIC_KEYS_MAX } from './template.ts';

/**
 * Refuses a query that needs an application's key as a number where an index has not kept it as
 * one. Elasticsearch notes the fields that it left out of a document in `_ignored`, so the check
 * is exact: events that merely lack the key do not fail it.
 */
export async function checkNumericKeys(search: Search, query: Asked): Promise<void> {
  const keys = numericKeysOf(query);
  if (keys.length === 0) return;
  const { range, filter } = query;
  const concerned = filter && withoutNumbers(filter);
  const { bool } = queryOf(concerned ? { filter: concerned } : {}, range);
  const answer = await search({
    size: 1,
    _source: false,
    query: {
      bool: { ...bool, must: [{ terms: { _ignored: keys.map((key) => `metrics.${key}`) } }] },
    },
  });
  const [hit] = answer.hits.hits;
  if (hit === undefined) return;
  const { _ignored: ignored = [] } = hit;
  const key = keys.find((name) => ignored.includes(`metrics.${name}`)) ?? keys[0];
  throw new MetronomeError(
    'bad-request',
    `\`${key}\` is not kept as a number on some of these days, for more than ` +
      `${NUMERIC_KEYS_MAX} numeric keys came in: declare a query that uses it in the ` +
      'configuration, and it is from the next day on',
  );
}

function numericKeysOf({ measures, filter }: Asked): string[] {
  const all = Object.values(measures);
  const names = [
    ...all.flatMap((measure) =>
      measure.kind === 'count' || measure.kind === 'distinct' ? [] : [measure.field],
    ),
    ...[filter, ...all.map(({ where }) => where)].flatMap((part) => (part ? rangesOf(part) : [])),
  ];
  return [...new Set(names)].flatMap((name) => {
    const field = resolveField(name);
    return field.kind === 'application' ? [field.key] : [];
  });
}

function rangesOf(filter: Filter): string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters.flatMap(rangesOf);
    case 'not':
      return rangesOf(filter.filter);
    case 'range':
      return [filter.field];
    default:
      return [];
  }
}

/** What can be asked of a filter without its own numbers; leaving parts of an `and` out widens it. */
function withoutNumbers(filter: Filter): Filter | undefined {
  if (filter.kind !== 'and') return rangesOf(filter).length === 0 ? filter : undefined;
  return { kind: 'and', filters: filter.filters.flatMap((part) => withoutNumbers(part) ?? []) };
}

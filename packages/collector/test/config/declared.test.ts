import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Config, readConfig } from '../../src/config.ts';
import { numericKeysOf } from '../../src/query/declared-check.ts';
import { allStatistics } from '../../src/tock/statistics.ts';

const folder = mkdtempSync(join(tmpdir(), 'metronome-declared-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function read(text: string, extension = 'json'): Promise<Config> {
  const path = join(folder, `${++files}.${extension}`);
  writeFileSync(path, text);
  return readConfig({ METRONOME_CONFIG: path });
}

const declaring = (query: unknown, keys: unknown = {}): Promise<Config> =>
  read(JSON.stringify({ keys, queries: { mine: query } }));

const count = { kind: 'count' };
const bought = { kind: 'equals', field: 'event', value: 'buy' };

describe('declared queries', () => {
  test.each([
    ['rows', { measures: { n: count } }],
    [
      'rows of everything',
      {
        kind: 'rows',
        meaning: 'Revenue by department.',
        measures: {
          n: { ...count, where: bought },
          people: { kind: 'distinct', field: 'visitor' },
          revenue: { kind: 'sum', field: 'price' },
          p95: { kind: 'percentile', field: 'price', at: 95 },
          last: { kind: 'max', field: 'time' },
        },
        dimensions: {
          department: { kind: 'field', field: 'department', missing: 'none' },
          month: { kind: 'time', interval: 'month' },
        },
        filter: {
          kind: 'and',
          filters: [
            { kind: 'or', filters: [bought, { kind: 'in', field: 'event', values: ['rent'] }] },
            { kind: 'not', filter: { kind: 'prefix', field: 'item', value: 'test/' } },
            { kind: 'range', field: 'price', gte: 0, lt: 1000 },
            { kind: 'exists', field: 'labels.host' },
          ],
        },
        order: [{ by: 'revenue', direction: 'descending' }],
        limit: 20,
      },
    ],
    [
      'a funnel',
      {
        kind: 'funnel',
        steps: [
          { name: 'seen', filter: { kind: 'equals', field: 'event', value: 'view' } },
          { name: 'bought', filter: bought },
        ],
        withinMinutes: 60,
      },
    ],
    [
      'rows with the others in one',
      {
        measures: { n: count },
        dimensions: { item: { kind: 'field', field: 'item' } },
        others: 'all others',
      },
    ],
    ['rows with a rollup', { rollup: true, measures: { n: count } }],
    ['retention', { kind: 'retention', filter: bought, interval: 'week' }],
  ])('may be %s', async (_, query) => {
    const { structure } = await declaring(query);
    expect(structure.queries).toEqual({ mine: query });
    expect([...allStatistics(structure.queries).keys()]).toContain('mine');
  });

  test('are typed in TypeScript', async () => {
    const config = fileURLToPath(new URL('../../src/config.ts', import.meta.url));
    const { structure } = await read(
      `import { defineConfig, defineQuery } from ${JSON.stringify(config)};
       export default defineConfig({
         queries: { departments: defineQuery({
           measures: { n: { kind: 'count' } },
           dimensions: { department: { kind: 'field', field: 'department' } },
           order: [{ by: 'department', direction: 'ascending' }],
         }) },
       });`,
      'ts',
    );
    expect(structure.queries).toHaveProperty('departments.order.0.by', 'department');
  });
});

const wrong: readonly (readonly [spot: string, query: unknown, message: RegExp])[] = [
  ['queries.mine', 'count', /must be rows \(or none\), funnel or retention\.$/],
  ['queries.mine.kind', { kind: 'funel' }, /must be rows \(or none\), funnel or retention\.$/],
  [
    'queries.mine',
    { measures: { n: count }, filters: [] },
    /no "filters" here: did you mean filter\?$/,
  ],
  ['queries.mine.measures', {}, /must be an object, by name\.$/],
  [
    'queries.mine.measures.buyers',
    {
      rollup: true,
      measures: { n: count, buyers: { kind: 'distinct', field: 'visitor' } },
    },
    /the distinct counts of days do not add up, so there is no rollup of them/,
  ],
  [
    'queries.mine.measures.p',
    { rollup: true, measures: { p: { kind: 'percentile', field: 'duration', at: 50 } } },
    /the percentiles of days do not add up/,
  ],
  [
    'queries.mine.dimensions.t.interval',
    {
      rollup: true,
      measures: { n: count },
      dimensions: { t: { kind: 'time', interval: 'minute' } },
    },
    /quarter hours at the finest/,
  ],
  [
    'queries.mine.others',
    {
      rollup: true,
      measures: { n: count },
      dimensions: { item: { kind: 'field', field: 'item' } },
      others: 'others',
    },
    /known when they are asked for, so there is no rollup of them/,
  ],
  [
    'queries.mine.others',
    {
      measures: { n: count },
      dimensions: {
        item: { kind: 'field', field: 'item' },
        t: { kind: 'time', interval: 'day' },
      },
      others: 'others',
    },
    /one dimension, which is a field: use just one/,
  ],
  ...['visitor', 'session', 'page'].map(
    (field) =>
      [
        'queries.mine.dimensions.who.field',
        {
          rollup: true,
          measures: { n: count },
          dimensions: { who: { kind: 'field', field } },
        },
        /counts may outlive their events, and must not tell who a visitor was/,
      ] as const,
  ),
  ['queries.mine.rollup', { rollup: 'yes', measures: { n: count } }, /must be true or false\.$/],
  ['queries.mine', { kind: 'retention', rollup: true }, /there is no "rollup" here/],
  [
    'queries.mine.filter.filters',
    { measures: { n: count }, filter: { kind: 'or' } },
    /must be a list\.$/,
  ],
  ['queries.mine.measures', { measures: {} }, /a query needs a measure\.$/],
  [
    'queries.mine.measures.n.kind',
    { measures: { n: { kind: 'counts' } } },
    /one of count, distinct, sum/,
  ],
  ['queries.mine.measures.n.field', { measures: { n: { kind: 'sum' } } }, /must be a text\.$/],
  [
    'queries.mine.measures.n',
    { measures: { n: { kind: 'sum', feild: 'price' } } },
    /no "feild" here: did you mean field\?$/,
  ],
  [
    'queries.mine.measures.n.field',
    { measures: { n: { kind: 'sum', field: 'device' } } },
    /`device` is a keyword: sum works on number fields\.$/,
  ],
  [
    'queries.mine.measures.n.at',
    { measures: { n: { kind: 'percentile', field: 'duration', at: 101 } } },
    /a percentile lies in 0 to 100\.$/,
  ],
  [
    'queries.mine.measures.n.where.field',
    { measures: { n: { ...count, where: { kind: 'equals', field: 'itme', value: 1 } } } },
    /no field "itme": did you mean time or item\?/,
  ],
  [
    'queries.mine.measures.id',
    { measures: { n: count, id: count } },
    /`id` names the item in lines of several items: choose another name\.$/,
  ],
  [
    'queries.mine.dimensions.id',
    { measures: { n: count }, dimensions: { id: { kind: 'field', field: 'item' } } },
    /`id` names the item/,
  ],
  ['queries.mine.measures.a b', { measures: { 'a b': count } }, /use letters, digits and _\.$/],
  [
    'queries.mine.dimensions.t.interval',
    { measures: { n: count }, dimensions: { t: { kind: 'time', interval: 'year' } } },
    /must be one of minute, hour, day, week, month\.$/,
  ],
  [
    'queries.mine.dimensions.t.field',
    { measures: { n: count }, dimensions: { t: { kind: 'field', field: 'time' } } },
    /`time` is a time: group by value works on/,
  ],
  [
    'queries.mine.dimensions.n',
    { measures: { n: count }, dimensions: { n: { kind: 'field', field: 'item' } } },
    /different names\.$/,
  ],
  [
    'queries.mine.filter.filters.1.filter.field',
    {
      measures: { n: count },
      filter: {
        kind: 'and',
        filters: [bought, { kind: 'not', filter: { kind: 'exists', field: 'user.id' } }],
      },
    },
    /`user\.id` is called `visitor` in queries\.$/,
  ],
  [
    'queries.mine.filter.value',
    { measures: { n: count }, filter: { kind: 'equals', field: 'bot', value: 'yes' } },
    /compare it with a boolean\.$/,
  ],
  [
    'queries.mine.filter',
    { measures: { n: count }, filter: { kind: 'range', field: 'price' } },
    /needs `gte` or `lt`\.$/,
  ],
  [
    'queries.mine.order.0.by',
    { measures: { n: count }, order: [{ by: 'm', direction: 'ascending' }] },
    /cannot order by `m`: order by n\.$/,
  ],
  ['queries.mine.limit', { measures: { n: count }, limit: 0.5 }, /limit must be a whole number/],
  ['queries.mine.limit', { measures: { n: count }, limit: 1e6 }, /limit is at most 100000\.$/],
  ['queries.mine.steps', { kind: 'funnel', steps: [] }, /two steps or more\.$/],
  [
    'queries.mine.steps.1.filter.field',
    {
      kind: 'funnel',
      steps: [
        { name: 'a', filter: bought },
        { name: 'b', filter: { ...bought, field: 'evnt' } },
      ],
    },
    /no field "evnt": did you mean event\?/,
  ],
  ['queries.mine.interval', { kind: 'retention', interval: 'hour' }, /one of day, week, month\.$/],
];

describe('a declaration that is wrong stops the start at its spot', () => {
  test.each(wrong)('%s of %j', async (spot, query, message) => {
    const error: unknown = await declaring(query).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'config' });
    const text = error instanceof Error ? error.message : '';
    expect(text).toContain(`.json: ${spot}: `);
    expect(text).toMatch(message);
  });

  test('its name', async () => {
    const queries = { 'my query': { measures: { n: count } } };
    await expect(read(JSON.stringify({ queries }))).rejects.toThrow(
      /queries\.my query: a query is named by letters, digits, - and _/,
    );
    for (const taken of ['errors', 'tock', 'items']) {
      const { structure } = await read(
        JSON.stringify({ queries: { [taken]: { measures: { n: count } } } }),
      );
      expect(() => allStatistics(structure.queries)).toThrow(
        `queries.${taken}: there is a built-in statistic of this name`,
      );
    }
  });

  test('a file that is no JSON', async () => {
    await expect(read('{')).rejects.toThrow(/cannot be read: /);
  });
});

describe('keys of the application', () => {
  const summing = (field: string) => ({ measures: { sum: { kind: 'sum', field } } });

  test('may be any while none is listed', async () => {
    await expect(declaring(summing('price'))).resolves.toBeDefined();
  });

  test('are checked for slips once they are listed', async () => {
    await expect(declaring(summing('pirce'), { price: 'number' })).rejects.toThrow(
      /queries\.mine\.measures\.sum\.field: there is no field "pirce": did you mean price\?/,
    );
    await expect(declaring(summing('labels.pirce'), { price: 'number' })).rejects.toThrow(
      /price\?/,
    );
    await expect(declaring(summing('price'), { price: 'text' })).rejects.toThrow(
      /`price` is a text by `keys`, and is used as a number here/,
    );
    await expect(declaring(summing('price'), { price: 'nummer' })).rejects.toThrow(
      /keys\.price: must be text or number\.$/,
    );
  });

  test('are kept as numbers where a query needs them so', async () => {
    const { structure } = await read(
      JSON.stringify({
        keys: { weight: 'number', color: 'text' },
        queries: {
          rows: {
            measures: {
              n: { kind: 'count', where: { kind: 'range', field: 'labels.host', gte: 1 } },
              ms: { kind: 'average', field: 'duration' },
              sum: { kind: 'sum', field: 'weight' },
              colors: { kind: 'distinct', field: 'color' },
            },
          },
        },
      }).replace('"color":"text"', '"color":"text","host":"number"'),
    );
    expect(numericKeysOf(structure.queries, structure.keys)).toEqual(['host', 'weight']);
  });
});

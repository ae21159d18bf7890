import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/tock/answer.ts';
import { FORMATS } from '../../src/tock/formats.ts';
import { tableOf, tableOfItems } from '../../src/tock/table.ts';

const csv = (answer: Answer, columns?: readonly string[]): readonly string[] => {
  const text = FORMATS.csv.write(answer, () => tableOf(answer, columns));
  expect(text.endsWith('\r\n')).toBe(true);
  return text.slice(0, -2).split('\r\n');
};

const ndjson = (answer: Answer): unknown[] =>
  FORMATS.ndjson
    .write(answer, () => tableOf(answer))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);

const tock = {
  views: new Map([['2026-11-23', 9200]]),
  downloads: new Map([
    ['kml', 4500],
    ['10', 3],
  ]),
  referers: new Map<string, number>(),
};

const errors = {
  count: 3,
  groups: [
    { fingerprint: 'f1', count: 2, sample: { message: 'x, y', line: 1 } },
    { fingerprint: 'f2', count: 1, sample: null },
  ],
};

describe('CSV', () => {
  it('has a line for each count, named by what it counts', () => {
    expect(csv(tock)).toEqual([
      'name,key,value',
      'views,2026-11-23,9200',
      'downloads,kml,4500',
      'downloads,10,3',
    ]);
  });

  it('has columns for the members of objects, and JSON for lists in a line', () => {
    expect(csv(errors)).toEqual([
      'name,value,fingerprint,count,sample.message,sample.line',
      'count,3,,,,',
      'groups,,f1,2,"x, y",1',
      'groups,,f2,1,,',
    ]);
    expect(csv([{ start: 'a', returned: [1, 0] }])).toEqual(['start,returned', 'a,"[1,0]"']);
    expect(csv([{ item: 'a', before: new Map([['b', 1]]) }])).toEqual([
      'item,before',
      'a,"{""b"":1}"',
    ]);
  });

  it('is one line for measures alone, and one for each row of a query', () => {
    expect(csv({ n: 1, sum: 2.5 }, ['n', 'sum'])).toEqual(['n,sum', '1,2.5']);
    expect(csv([{ a: 'x', n: 1, m: null }], ['a', 'n', 'm'])).toEqual(['a,n,m', 'x,1,']);
    expect(csv(new Map([['parks', 2]]), ['department', 'n'])).toEqual(['department,n', 'parks,2']);
  });

  it('has its header where there is nothing', () => {
    expect(csv(new Map(), ['item', 'value'])).toEqual(['item,value']);
    expect(csv([], ['a', 'n'])).toEqual(['a,n']);
    expect(csv({ views: new Map(), downloads: new Map() })).toEqual(['name,key,value']);
  });

  it('keeps a column in which nothing is today', () => {
    expect(csv({ total: 0, visitors: new Map() })).toEqual(['name,key,value', 'total,,0']);
  });

  it('quotes what RFC 4180 wants quoted', () => {
    const odd = new Map(['a"b', 'c,d', 'e\nf', 'g\rh', ' i '].map((key) => [key, 1]));
    const text = FORMATS.csv.write(odd, () => tableOf(odd));
    expect(text).toBe('key,value\r\n"a""b",1\r\n"c,d",1\r\n"e\nf",1\r\n"g\rh",1\r\n i ,1\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '\uFF1D1+1'])(
    'makes no formula of %j',
    (key) => {
      const [, line] = FORMATS.csv
        .write(new Map([[key, -5]]), () => tableOf(new Map([[key, -5]])))
        .split(/\r\n/u);
      expect(line?.replaceAll('"', '')).toBe(`'${key},-5`);
    },
  );

  it('makes no formula of a column that is called like one', () => {
    expect(csv([{ sample: { '=a': 1 } }])).toEqual(['sample.=a', '1']);
  });

  it('names the item of each line where there are several', () => {
    const answers = new Map<string, Answer>([
      ['a', tock],
      ['b', { views: new Map(), downloads: new Map(), referers: new Map() }],
    ]);
    const text = FORMATS.csv.write(answers, () => tableOfItems(answers));
    expect(text.split('\r\n')).toEqual([
      'id,name,key,value',
      'a,views,2026-11-23,9200',
      'a,downloads,kml,4500',
      'a,downloads,10,3',
      '',
    ]);
  });
});

describe('NDJSON', () => {
  it('has the lines of the table as objects', () => {
    expect(ndjson(tock)).toEqual([
      { name: 'views', key: '2026-11-23', value: 9200 },
      { name: 'downloads', key: 'kml', value: 4500 },
      { name: 'downloads', key: '10', value: 3 },
    ]);
    expect(ndjson(errors)).toEqual([
      { name: 'count', value: 3 },
      { name: 'groups', fingerprint: 'f1', count: 2, sample: { message: 'x, y', line: 1 } },
      { name: 'groups', fingerprint: 'f2', count: 1, sample: null },
    ]);
    expect(ndjson(new Map())).toEqual([]);
  });
});

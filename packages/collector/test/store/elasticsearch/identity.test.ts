import { expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import { identify } from '../../../src/store/elasticsearch/identity.ts';
import { eventAt } from '../journal-lines.ts';

const received = '2026-11-23T12:00:00.000Z';

function identityOf(fields: Partial<StoredEvent>) {
  return identify(Buffer.from(JSON.stringify(eventAt(received, 'app', fields))), 'journal', 7);
}

const cases: readonly [string, Partial<StoredEvent>, string, readonly string[]][] = [
  ['nothing of its own', {}, '2026.11.23', []],
  ['a client time', { 'event.created': '2026-11-22T23:59:59.000Z' }, '2026.11.22', []],
  [
    'an id and a client time, whatever the correction',
    { 'event.id': 'a', 'event.created': '2026-10-01T00:00:00.000Z' },
    '2026.10.01',
    [],
  ],
  ['an id alone', { 'event.id': 'a' }, '2026.11.23', ['2026.11.22']],
  [
    'a clock of 1970',
    { 'event.id': 'a', 'event.created': '1970-01-01T00:00:00.000Z' },
    '2026.11.23',
    ['1970.01.01', '2026.11.22'],
  ],
  ['a clock of 1970 and no id', { 'event.created': '1970-01-01T00:00:00.000Z' }, '2026.11.23', []],
  [
    'a clock of 2106',
    { 'event.id': 'a', 'event.created': '2106-02-07T00:00:00.000Z' },
    '2026.11.23',
    ['2106.02.07', '2026.11.22'],
  ],
  [
    'a clock some hours ahead',
    { 'event.id': 'a', 'event.created': '2026-11-24T09:00:00.000Z' },
    '2026.11.24',
    ['2026.11.22', '2026.11.23'],
  ],
  [
    'a clock that is right now but for the correction of a day and more',
    {
      'event.id': 'a',
      'event.created': received,
      '@timestamp': '2026-11-21T12:00:00.000Z',
    },
    '2026.11.23',
    ['2026.11.20', '2026.11.21'],
  ],
  [
    'a clock just ahead',
    { 'event.id': 'a', 'event.created': '2026-11-23T12:59:00.000Z' },
    '2026.11.23',
    [],
  ],
  [
    'an import of old events',
    {
      'event.id': 'a',
      'event.created': '2015-05-17T10:05:03.000Z',
      '@timestamp': '2015-05-17T10:05:03.000Z',
    },
    '2015.05.17',
    [],
  ],
];

it.each(cases)('finds the day of an event with %s', (_, fields, day, elsewhere) => {
  expect(identityOf(fields)).toMatchObject({ day, elsewhere });
});

it('takes app, id and client time for the identity, without mixing them up', () => {
  const parts = [
    { 'event.id': 'a' },
    { 'event.id': 'a', 'event.created': received },
    { 'event.id': `a${received}` },
    { 'event.id': 'ppa', 'service.name': 'a' },
    { 'event.id': 'a', 'service.name': 'app","a' },
  ];
  const ids = parts.map((part) => identityOf(part)?.id);
  expect(new Set(ids).size).toBe(parts.length);
  expect(identityOf({ 'event.id': 'a', item: 'other' })?.id).toBe(ids[0]);
});

it('takes the place for the identity where there is no id', () => {
  const line = Buffer.from(JSON.stringify(eventAt(received, 'app')));
  const ids = [
    identify(line, 'journal', 1)?.id,
    identify(line, 'journal', 2)?.id,
    identify(line, 'other', 1)?.id,
  ];
  expect(new Set(ids).size).toBe(3);
  expect(identify(line, 'journal', 1)?.id).toBe(ids[0]);
});

it('takes the place that an id is the name of, and its one day', () => {
  const [place, other] = [{ 'event.id': '~journal-7' }, { 'event.id': '~~journal-7' }];
  expect(identityOf(place)).toEqual({ ...identityOf({}), day: '2026.11.23', elsewhere: [] });
  expect(identityOf(other)?.id).not.toBe(identityOf({})?.id);
  const elsewhere = identify(
    Buffer.from(JSON.stringify(eventAt(received, 'app', place))),
    'another',
    99,
  );
  expect(elsewhere).toEqual(identityOf({}));
});

it.each(['', 'null', '[]', '"text"', '{"@timestamp":', '{}', '{"@timestamp":"-1"}'])(
  'has none for the line %j',
  (line) => {
    expect(identify(Buffer.from(line), 'journal', 1)).toBeUndefined();
  },
);

it.each(['whenever', '', '+275760-09-13T00:00:00.000Z', '0000-01-01T00:00:00.000Z'])(
  'has none for an event at %j',
  (time) => {
    expect(identityOf({ '@timestamp': time })).toBeUndefined();
  },
);

/** In the order in which intake writes it. */
const written = {
  'journal.collector': 'journal',
  'journal.segment': 1,
  'journal.sequence': 7,
  '@timestamp': '2026-11-23T11:00:00.000Z',
  '@version': '1',
  'event.ingested': received,
  'event.created': '2026-11-23T12:30:00.000Z',
  'event.id': 'a',
  'event.action': 'view',
  'service.name': 'app',
  labels: { 'event.id': 'another', text: ',"event.id":"a third","metrics":{"x":1}}' },
  metrics: { größe: 1, 'a}b': 2 },
};

it.each([
  ['all that it looks for', {}],
  ['no id', { 'event.id': undefined }],
  ['no client time', { 'event.created': undefined }],
  ['no numbers', { metrics: undefined }],
  ['no labels', { labels: undefined }],
  ['a name that JSON escapes', { 'service.name': 'a"b\\' }],
  ['an id that is not ASCII', { 'event.id': 'ä' }],
  ['an id that is the name of a place', { 'event.id': '~another-8' }],
])('reads the same of a line in any order: %s', (_, fields) => {
  const event: Record<string, unknown> = { ...written, ...fields };
  const [usual, reversed] = [event, Object.fromEntries(Object.entries(event).toReversed())].map(
    (one) => identify(Buffer.from(`${JSON.stringify(one)}\n`), 'journal', 7),
  );
  expect(usual).toEqual(reversed);
  expect(usual?.numbers).toEqual(Object.keys(event['metrics'] ?? {}));
});

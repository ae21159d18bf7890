import { describe, expect, it } from 'vitest';
import { EVENT_LIMITS } from '../../src/event.ts';
import { WIRE_KEYS } from '../../src/intake/keys.ts';
import { client, linesOf, take, takeOne, testIntake } from './test-intake.ts';

const labels = (event: unknown): unknown => takeOne(event)['labels'];
const metrics = (event: unknown): unknown => takeOne(event)['metrics'];

describe('the application’s keys', () => {
  it('keep numbers as text and as numbers, in their shortest form', () => {
    const given = { a: 1, b: -2.5, c: 1e21, d: 1e-7, e: 0.1 };
    expect(labels(given)).toEqual({ a: '1', b: '-2.5', c: '1e+21', d: '1e-7', e: '0.1' });
    expect(metrics(given)).toEqual(given);
  });

  it('keep booleans as text and arrays of scalars as several values, each once', () => {
    const given = {
      yes: true,
      no: false,
      many: ['a', 'b', 'a', null, ''],
      mixed: [1, 'x', true, 1],
    };
    expect(labels(given)).toEqual({
      yes: 'true',
      no: 'false',
      many: ['a', 'b'],
      mixed: ['1', 'x', 'true'],
    });
    expect(metrics(given)).toEqual({ mixed: [1, 1] });
  });

  it('lose null, empty text and empty arrays and objects', () => {
    const event = takeOne({ a: null, b: '', c: [], d: {}, e: [null, ''], f: { g: null } });
    expect(event).not.toHaveProperty('labels');
    expect(event).not.toHaveProperty('metrics');
  });

  it('are flattened with dots, the last of one name winning', () => {
    expect(labels({ a: { b: { c: 1 } } })).toEqual({ 'a.b.c': '1' });
    expect(labels({ a: { b: 1 }, 'a.b': 2 })).toEqual({ 'a.b': '2' });
    expect(labels({ 'a.b': 2, a: { b: 1 } })).toEqual({ 'a.b': '1' });
    expect(labels({ a: { 'b.c': 1, b: { c: 2 } } })).toEqual({ 'a.b.c': '2' });
    expect(labels('{"a":1,"a":2}')).toEqual({ a: '2' });
  });

  it('lay the objects of an array over each other', () => {
    const given = { a: [{ b: 1, c: 'x' }, { b: 2 }, 5, [6]] };
    expect(labels(given)).toEqual({ 'a.b': ['1', '2'], 'a.c': 'x', a: ['5', '6'] });
  });

  it('may be called like what every object has', () => {
    const given = '{"__proto__":"p","constructor":"c","hasOwnProperty":1,"toString":{"a":2}}';
    const kept = labels(given) as Record<string, unknown>;
    expect(Object.entries(kept)).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['hasOwnProperty', '1'],
      ['toString.a', '2'],
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('hold whatever text JSON can say, without what no store takes', () => {
    expect(labels('{"a":"\\u0000x\\ud800","b":"\\ud83d\\ude00\\"\\\\\\n","\\u0000k":1}')).toEqual({
      a: '\uFFFDx\uFFFD',
      b: '😀"\\\n',
      '\uFFFDk': '1',
    });
  });

  it('are cut, not refused, where a text is too long, between characters', () => {
    const long = `${'x'.repeat(EVENT_LIMITS.valueBytesMax - 1)}é`;
    expect(labels({ long })).toEqual({ long: long.slice(0, -1) });
    const emoji = '😀'.repeat(EVENT_LIMITS.valueBytesMax / 4);
    expect(labels({ emoji: `${emoji}x` })).toEqual({ emoji });
  });
});

describe('known keys', () => {
  it.each([
    ['item', { item: ['a', 'b'] }, { item: ['a', 'b'] }],
    ['title', { title: 5 }, { title: '5' }],
    ['duration', { duration: 'long' }, { duration: 'long' }],
    ['status', { event: 'x', status: 'active' }, { status: 'active' }],
    ['status', { event: 'x', status: 7 }, { status: '7' }],
    ['method', { event: 'x', method: 'google' }, { method: 'google' }],
    ['privacy', { privacy: 'public' }, { privacy: 'public' }],
    ['sent', { sent: 'a minute ago' }, { sent: 'a minute ago' }],
    ['page_item', { event: 'x', page_item: 'a' }, { page_item: 'a' }],
  ])('%s of another type is the application’s', (_key, given, expected) => {
    expect(labels(given)).toEqual(expected);
  });

  it('are numbers only where JSON can write them again', () => {
    expect(labels('{"value":1e999,"x":-1e999}')).toEqual({ value: 'Infinity', x: '-Infinity' });
    expect(metrics('{"value":1e999,"x":-1e999}')).toBeUndefined();
  });

  it('are never said twice', () => {
    const twice = [
      { method: 5, 'http.request.method': 'google' },
      { status: 'active', 'http.response.status_code': 7 },
      { method: 'GET', file: 5, 'file.path': '/var/log/a.log' },
      '{"\\u0000":1,"\\ud800":2,"\\ufffd":3}',
    ];
    for (const event of twice) {
      const body = typeof event === 'string' ? event : JSON.stringify(event);
      const [line = ''] = linesOf(
        testIntake(),
        { contentType: undefined, bytes: Buffer.from(body) },
        client(),
      ).lines;
      expect(JSON.stringify(JSON.parse(line))).toBe(line);
    }
  });

  it('marks an id that looks like the name of a place, so that it is none', () => {
    const ids = ['~abc-1', '~', 'a~', '~~abc-1'].map((id) => takeOne({ id })['event.id']);
    expect(ids).toEqual(['~~abc-1', '~~', 'a~', '~~~abc-1']);
  });

  it('take numbers as names, and decimal text as numbers', () => {
    const event = takeOne({ id: 5, item: 42, duration: '12.5', value: '-1e3' });
    expect(event).toMatchObject({
      'event.id': '5',
      item: '42',
      duration: 12.5,
      'browser.web_vital.value': -1000,
    });
  });

  it('count by their first name; the others are the application’s', () => {
    for (const event of [
      { item_id: 'b', item: 'a' },
      { item: 'a', item_id: 'b' },
    ]) {
      expect(takeOne(event)).toMatchObject({ item: 'a', labels: { item_id: 'b' } });
    }
    const event = takeOne({ 'http.request.referrer': 'https://c.org', referer: 'https://b.org' });
    expect(event).toMatchObject({
      referer: 'b.org',
      labels: { 'http.request.referrer': 'https://c.org' },
    });
  });

  it('have names that no other key has', () => {
    const names = Object.values(WIRE_KEYS).flatMap((fields) => Object.values(fields).flat());
    expect(new Set(names).size).toBe(names.length);
  });

  it('say nothing where they are null or empty', () => {
    const event = takeOne({ item: 'a', url: '', title: null, referrer: '', event: '', app: '' });
    expect(event).toMatchObject({ item: 'a', 'event.action': 'view', 'service.name': 'default' });
  });
});

describe('limits of an event', () => {
  const { idBytesMax, itemBytesMax, appBytesMax, keysMax, keyBytesMax } = EVENT_LIMITS;
  const { nestingMax, arrayValuesMax } = EVENT_LIMITS;

  it.each([
    ['id', { id: 'é'.repeat(idBytesMax / 2) }, { id: 'é'.repeat(idBytesMax / 2 + 1) }],
    ['item', { item: 'x'.repeat(itemBytesMax) }, { item: 'x'.repeat(itemBytesMax + 1) }],
    ['app', { app: 'x'.repeat(appBytesMax) }, { app: 'x'.repeat(appBytesMax + 1) }],
    ['keys', keys(keysMax), keys(keysMax + 1)],
    ['nested keys', { a: keys(keysMax) }, { a: keys(keysMax + 1) }],
    ['key', { ['k'.repeat(keyBytesMax)]: 1 }, { ['k'.repeat(keyBytesMax + 1)]: 1 }],
    ['nesting', { a: nested(nestingMax) }, { a: nested(nestingMax + 1) }],
    ['nesting in arrays', { a: arrays(nestingMax) }, { a: arrays(nestingMax + 2) }],
    [
      'array',
      { a: Array.from({ length: arrayValuesMax }, (_, i) => i) },
      { a: Array.from({ length: arrayValuesMax + 1 }, (_, i) => i) },
    ],
    [
      'array of objects',
      { a: Array.from({ length: arrayValuesMax }, (_, i) => ({ i })) },
      { a: Array.from({ length: arrayValuesMax + 1 }, (_, i) => ({ i })) },
    ],
  ])('%s: at the limit it is taken, over it refused', (_name, at, over) => {
    expect(take(at).reasons).toEqual({});
    expect(take([{ item: 'before' }, over, { item: 'after' }]).reasons).toHaveProperty('1');
  });

  it('holds for what is derived by cutting it', () => {
    const url = `https://example.org/${'é'.repeat(5000)}`;
    const event = takeOne({ url });
    expect(Buffer.byteLength(String(event['item']))).toBeLessThanOrEqual(itemBytesMax);
    expect(Buffer.byteLength(String(event['url.path']))).toBeLessThanOrEqual(
      EVENT_LIMITS.valueBytesMax,
    );
  });
});

function keys(n: number): unknown {
  return Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

function arrays(depth: number): unknown {
  return depth === 0 ? 1 : [arrays(depth - 1)];
}

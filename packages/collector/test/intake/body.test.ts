import { describe, expect, it } from 'vitest';
import { MetronomeError } from '../../src/errors.ts';
import { client, linesOf, testIntake } from './test-intake.ts';

const items = (text: string | Buffer, contentType?: string): unknown[] =>
  linesOf(testIntake(), { contentType, bytes: Buffer.from(text) }, client()).lines.map(
    (line) => (JSON.parse(line) as { item?: string }).item,
  );

function errorOf(text: string, contentType?: string, eventsPerBodyMax = 100): MetronomeError {
  try {
    linesOf(testIntake({ eventsPerBodyMax }), { contentType, bytes: Buffer.from(text) }, client());
  } catch (error) {
    if (error instanceof MetronomeError) return error;
    throw error;
  }
  throw new Error('taken');
}

describe('a body', () => {
  const forms = {
    object: '{"item":"a"}',
    'object over several lines': '{\n  "item": "a"\n}\n',
    array: '[{"item":"a"},{"item":"b"}]',
    'array over several lines': '[\n{"item":"a"},\n{"item":"b"}\n]',
    NDJSON: '{"item":"a"}\n{"item":"b"}',
    'NDJSON with empty lines and carriage returns': '\n{"item":"a"}\r\n\r\n{"item":"b"}\r\n',
    'NDJSON of one line': '{"item":"a"}\n',
  };
  const types = [
    'application/json',
    'application/json; charset=utf-8',
    'application/x-ndjson',
    'text/plain',
    'text/plain;charset=UTF-8',
    'Text/Plain; Charset="utf-8"',
    undefined,
  ];
  it.each(Object.entries(forms).flatMap(([form, text]) => types.map((type) => [form, type, text])))(
    'may be %s as %s',
    (_form, type, text = '') => {
      expect(items(text, type)).toEqual(text.includes('"b"') ? ['a', 'b'] : ['a']);
    },
  );

  it('may begin with a byte order mark', () => {
    expect(items('\uFEFF{"item":"a"}')).toEqual(['a']);
    expect(items('\uFEFF{"item":"a"}\n{"item":"b"}')).toEqual(['a', 'b']);
  });

  it('may hold no event', () => {
    expect(items('[]')).toEqual([]);
  });

  it('may hold bytes that are no UTF-8, which become U+FFFD', () => {
    expect(items(Buffer.from([...Buffer.from('{"item":"'), 0xff, ...Buffer.from('"}')]))).toEqual([
      '\uFFFD',
    ]);
  });

  it.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'text/plain; charset=utf-16',
    'nonsense',
  ])('may not be %s', (type) => {
    expect(errorOf('{"item":"a"}', type).code).toBe('unsupported');
  });

  it.each(['', ' \n ', '{"item":"a"', '{"item":"a"}}', 'item=a', '[{"item":"a"},]', "{'item':1}"])(
    'may not be %j',
    (text) => {
      expect(errorOf(text).code).toBe('bad-request');
    },
  );

  it('is told from a broken one without repeating what it holds', () => {
    const { message, extensions } = errorOf('{"item":"secret", oops}');
    expect(message).toMatch(/^The body is not JSON: .+\.$/u);
    expect(message).not.toContain('secret');
    expect(extensions).toHaveProperty('rejected.0.index', 0);
  });

  it('may not hold more events than the setting', () => {
    expect(errorOf('[{},{},{}]', undefined, 2).code).toBe('too-large');
    expect(errorOf('{}\n{}\n{}', undefined, 2).code).toBe('too-large');
  });

  it('may be nested a million deep, to no effect', () => {
    const depth = 1_000_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const bytes = Buffer.from(`[{"item":"a"},{"x":${deep}},${deep}]`);
    const { lines, rejected } = linesOf(testIntake(), { contentType: undefined, bytes }, client());
    expect(lines).toHaveLength(1);
    expect(rejected.map(({ index }) => index)).toEqual([1, 2]);
  });
});

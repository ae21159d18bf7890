import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_LIMITS } from '../../src/event.ts';
import { MetronomeError } from '../../src/errors.ts';
import { ACCESS_LOG_KEYS, WIRE_KEYS } from '../../src/intake/keys.ts';
import { client, linesOf, NOW, testIntake } from './test-intake.ts';

const intake = testIntake({ eventsPerBodyMax: 50 });

/** What `take` gives, or undefined where it refuses the body; anything else fails the test. */
function take(
  bytes: Buffer,
  contentType = 'application/json',
  fromBrowser = false,
): ReturnType<typeof linesOf> | undefined {
  try {
    const facts = client({ fromBrowser, userAgent: 'Fuzz/1.0' });
    return linesOf(intake, { contentType, bytes }, facts);
  } catch (error) {
    if (error instanceof MetronomeError) return undefined;
    throw error;
  }
}

const KNOWN = [
  ...Object.values(WIRE_KEYS).flatMap((fields) => Object.values<readonly string[]>(fields).flat()),
  ...Object.values(ACCESS_LOG_KEYS).flat(),
];
const SCALARS = [
  'GET',
  'POST /a HTTP/1.1',
  '200',
  200,
  'https://user@data.example.org:81/datasets/a.csv?utm_source=x#y',
  '/datasets/%E0%A4%A.csv',
  '2026-11-23T10:00:00Z',
  '17/May/2015:10:05:03 +0000',
  NOW,
  NOW / 1000,
  '203.0.113.7',
  '::ffff:203.0.113.7',
  'Mozilla/5.0 (compatible; Googlebot/2.1)',
  '-',
  '"-"',
  'Error: x\n    at f (chrome-extension://a/b.js:1:2)',
  'download',
  'error',
  true,
  -0,
  1e308,
  Number.MIN_VALUE,
];
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(...SCALARS.filter((value) => typeof value === 'string')),
  fc.string({ maxLength: 12 }).map((piece) => `${piece}é😀`.repeat(400)),
);
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...KNOWN) },
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'utm_source', 'a.b', 'a', '.', ''),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(text, fc.constantFrom(...SCALARS, null), fc.double()),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const event = fc.dictionary(key, value, { maxKeys: 15, noNullPrototype: true });

/** Every value at rest, with the name it stands under. */
function* valuesOf(at: unknown, name = ''): Generator<[name: string, value: unknown]> {
  if (typeof at !== 'object' || at === null) yield [name, at];
  else if (Array.isArray(at)) for (const part of at) yield* valuesOf(part, name);
  else {
    const members = Object.entries(at);
    if (members.length === 0) yield [name, at];
    for (const [key_, part] of members) yield* valuesOf(part, key_);
  }
}

/** What is wrong with a line, whatever it was made of. */
function flawsOf(line: string): unknown[] {
  const stored = JSON.parse(line) as Record<string, unknown>;
  const flaws: unknown[] = REQUIRED.filter((key_) => typeof stored[key_] !== 'string');
  const at = String(stored['@timestamp']);
  // A name that is said twice makes it shorter.
  if (JSON.stringify(stored).length !== line.length) flaws.push(line);
  if (/[\n\r]/u.test(line) || new Date(at).toISOString() !== at) flaws.push(line);
  for (const [name, part] of valuesOf(stored)) {
    if (Buffer.byteLength(name) > EVENT_LIMITS.keyBytesMax || !isStorable(part)) {
      flaws.push([name, part]);
    }
  }
  return flaws;
}

const REQUIRED = ['@timestamp', '@version', 'event.ingested', 'event.action', 'service.name'];

function isStorable(value_: unknown): boolean {
  if (typeof value_ === 'number' || typeof value_ === 'boolean') return true;
  return (
    typeof value_ === 'string' &&
    value_ !== '' &&
    value_.isWellFormed() &&
    !value_.includes('\0') &&
    Buffer.byteLength(value_) <= EVENT_LIMITS.valueBytesMax
  );
}

function checkTaken(taken: ReturnType<typeof take>): void {
  if (taken === undefined) return;
  expect(taken.lines.flatMap(flawsOf)).toEqual([]);
  const indexes = taken.rejected.map(({ index }) => index);
  expect(new Set(indexes).size).toBe(indexes.length);
}

describe('whatever is sent', () => {
  it('as events of any keys and values, ends as lines within the limits', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), fc.boolean(), (events, fromBrowser) => {
        const taken = take(Buffer.from(JSON.stringify(events)), 'text/plain', fromBrowser);
        expect((taken?.lines.length ?? 0) + (taken?.rejected.length ?? 0)).toBe(events.length);
        checkTaken(taken);
      }),
      { numRuns: 1500 },
    );
  });

  it('is the same as an array and as NDJSON', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 2, maxLength: 4 }), (events) => {
        const array = take(Buffer.from(JSON.stringify(events)));
        const lines = events.map((one) => JSON.stringify(one)).join('\n');
        expect(take(Buffer.from(lines), 'application/x-ndjson')).toEqual(array);
      }),
      { numRuns: 500 },
    );
  });

  it('as any JSON, is taken or refused', () => {
    const json = fc.oneof(fc.jsonValue({ maxDepth: 12, stringUnit: 'binary' }), value);
    fc.assert(
      fc.property(json, (body) => checkTaken(take(Buffer.from(JSON.stringify(body))))),
      { numRuns: 1000 },
    );
  });

  it('as any bytes, is taken or refused', () => {
    const cut = fc.tuple(event, fc.nat(200)).map(([one, at]) => {
      const bytes = Buffer.from(JSON.stringify([one, one]));
      return bytes.subarray(0, bytes.length - at);
    });
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.oneof(cut, bytes), (body) => checkTaken(take(body, 'text/plain'))),
      { numRuns: 1000 },
    );
  });
});

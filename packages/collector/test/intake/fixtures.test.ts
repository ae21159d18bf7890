import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MetronomeError } from '../../src/errors.ts';
import { client, linesOf, testIntake } from './test-intake.ts';

/**
 * Bodies as shippers, applications and broken clients send them, each with what becomes of it
 * beside it: `roads.json` and `roads.expected.json`.
 */
const FIXTURES = join(import.meta.dirname, '../../../../fixtures');

interface Expected {
  readonly contentType: string;
  /** Events at rest. */
  readonly events?: readonly unknown[];
  readonly rejected?: readonly unknown[];
  /** What the whole body is refused with. */
  readonly error?: { readonly code: string; readonly message: string };
}

for (const folder of ['shippers', 'apps', 'bad']) {
  describe(`fixtures/${folder}`, () => {
    const files = readdirSync(join(FIXTURES, folder));
    const bodies = files.filter((name) => !name.endsWith('.expected.json'));
    it.each(bodies)('%s', (name) => {
      const stem = join(FIXTURES, folder, name);
      const expected = JSON.parse(readFileSync(`${stem}.expected.json`, 'utf8')) as Expected;
      expect(outcome(expected.contentType, readFileSync(stem))).toEqual(expected);
    });
  });
}

function outcome(contentType: string, bytes: Buffer): Expected {
  try {
    const { lines, rejected } = linesOf(testIntake(), { contentType, bytes }, client());
    return { contentType, events: lines.map((line) => JSON.parse(line) as unknown), rejected };
  } catch (error) {
    if (!(error instanceof MetronomeError)) throw error;
    return { contentType, error: { code: error.code, message: error.message } };
  }
}

import { describe, expect, test } from 'vitest';
import { Access } from '../../src/http/access.ts';

const page = 'https://www.example.org';

function access(options: Partial<ConstructorParameters<typeof Access>[0]> = {}): Access {
  return new Access({ writeKeys: [], readTokens: [], origins: [], ...options });
}

describe('writing', () => {
  test('is open when nothing is set', () => {
    expect(access().checkWrite({})).toBe(false);
    expect(access().checkWrite({ origin: page })).toBe(false);
  });

  test('with origins set, lets listed pages and requests without an origin in', () => {
    const listed = access({ origins: [page] });
    expect(listed.checkWrite({ origin: 'https://WWW.example.org' })).toBe(false);
    expect(listed.checkWrite({})).toBe(false);
    expect(() => listed.checkWrite({ origin: 'https://evil.example' })).toThrow(
      /METRONOME_ORIGINS/,
    );
  });

  test('with keys set, needs a valid key or a listed origin', () => {
    const keyed = access({ writeKeys: ['correct-horse'], origins: [page] });
    expect(keyed.checkWrite({ authorization: 'Bearer correct-horse' })).toBe(true);
    expect(keyed.checkWrite({ key: 'correct-horse' })).toBe(true);
    expect(keyed.checkWrite({ origin: page })).toBe(false);
    expect(() => keyed.checkWrite({})).toThrow(/write key is needed/);
    expect(() => keyed.checkWrite({ key: 'correct-hors' })).toThrow(/not valid/);
    expect(() => keyed.checkWrite({ key: 'wrong-horse', origin: page })).toThrow(/not valid/);
  });

  test('with keys set and no origins listed, an origin alone opens nothing', () => {
    const keyed = access({ writeKeys: ['correct-horse'] });
    expect(() => keyed.checkWrite({ origin: page })).toThrow(/write key is needed/);
  });
});

test('reading needs one of the tokens once there are any', () => {
  const guarded = access({ readTokens: ['read-me-please', 'another-token'] });
  expect(() => access().checkRead(undefined)).not.toThrow();
  expect(() => guarded.checkRead('Bearer another-token')).not.toThrow();
  expect(() => guarded.checkRead(undefined)).toThrow(/read token/);
  expect(() => guarded.checkRead('Basic another-token')).toThrow(/read token/);
});

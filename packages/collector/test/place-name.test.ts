import { expect, it } from 'vitest';
import { clientId, placeName, readPlaceName } from '../src/place-name.ts';

it('reads the name that it makes of a place', () => {
  const place = { collector: 'k3v0a1b2c3d4', sequence: 104_857 };
  expect(placeName(place)).toBe('~k3v0a1b2c3d4-104857');
  expect(readPlaceName(placeName(place))).toEqual(place);
});

it('takes no other id for the name of a place', () => {
  const ids = ['', 'a', '~', '~a', '~a-', '~-1', '~a-0', '~a-01', '~a-1.5', '~a-1 ', '~a b-1'];
  for (const id of [...ids, '~~a-1', 'a-1', '~a-9999999999999999']) {
    expect(readPlaceName(id), id).toBeUndefined();
  }
});

it('takes no id of a client for the name of a place, and keeps all apart', () => {
  const ids = ['a', '~a-1', '~~a-1', '~', ''];
  const atRest = ids.map(clientId);
  expect(atRest).toEqual(['a', '~~a-1', '~~~a-1', '~~', '']);
  for (const id of atRest) expect(readPlaceName(id)).toBeUndefined();
});

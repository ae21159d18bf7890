import { expect, test } from 'vitest';
import { RateLimit } from '../../src/http/rate-limit.ts';

function take(limit: RateLimit, address: string, times: number, atMs: number): number {
  return Array.from({ length: times }, () => limit.allows(address, atMs)).filter(Boolean).length;
}

test('a burst passes, then the rate', () => {
  const limit = new RateLimit({ perSecond: 10, burstS: 2 });
  expect(take(limit, '203.0.113.9', 30, 0)).toBe(20);
  expect(take(limit, '203.0.113.9', 30, 1000)).toBe(10);
});

test('clients do not share, but the hosts of one IPv6 /64 do', () => {
  const limit = new RateLimit({ perSecond: 1, burstS: 1 });
  expect(take(limit, '203.0.113.9', 2, 0)).toBe(1);
  expect(take(limit, '203.0.113.10', 2, 0)).toBe(1);
  expect(take(limit, '2001:db8::1', 1, 0)).toBe(1);
  expect(take(limit, '2001:db8:0:0:ffff::2', 1, 0)).toBe(0);
  expect(take(limit, '2001:db8:0:1::1', 1, 0)).toBe(1);
});

test('what a request cost beside its first token is owed by the next ones', () => {
  const limit = new RateLimit({ perSecond: 10, burstS: 1 });
  expect(take(limit, '203.0.113.9', 1, 0)).toBe(1);
  limit.charge('203.0.113.9', 29);
  limit.charge('203.0.113.10', 29);
  expect(take(limit, '203.0.113.9', 1, 2000)).toBe(0);
  expect(take(limit, '203.0.113.9', 20, 3000)).toBe(10);
  expect(take(limit, '203.0.113.10', 1, 0)).toBe(1);
});

test('0 switches it off', () => {
  expect(take(new RateLimit({ perSecond: 0 }), '203.0.113.9', 1000, 0)).toBe(1000);
});

test('memory is bounded: the client that was quiet longest is forgiven', () => {
  const limit = new RateLimit({ perSecond: 1, burstS: 1, clientsMax: 2 });
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) take(limit, address, 1, 0);
  expect(take(limit, '192.0.2.3', 1, 0)).toBe(0);
  expect(take(limit, '192.0.2.1', 1, 0)).toBe(1);
});

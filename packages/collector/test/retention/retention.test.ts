import { expect, test } from 'vitest';
import { Retention } from '../../src/retention.ts';
import { SimulatedClock } from '../journal/simulated-clock.ts';

const HOUR_MS = 3_600_000;

/** Calls of `expire`; each settles by `answers`, in their order. */
function running(answers: (() => Promise<number>)[]) {
  const clock = new SimulatedClock(Date.parse('2026-11-23T22:00:00Z'));
  const days: string[] = [];
  const logged: string[] = [];
  const log = (_: unknown, message?: string) => void logged.push(message ?? '');
  const expire = (before: string): Promise<number> => {
    days.push(before);
    return (answers.shift() ?? (() => Promise.resolve(0)))();
  };
  const retention = new Retention({
    store: { expire },
    days: 30,
    clock,
    log: { info: log, warn: log },
  });
  retention.start();
  return { retention, clock, days, logged };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('drops the days before at the start, and again after each UTC midnight', async () => {
  const { retention, clock, days, logged } = running([async () => 7]);
  await settled();
  expect(days).toEqual(['2026-10-24']);
  expect(logged).toEqual(['days beyond the retention are dropped']);
  expect(clock.nextWakeMs).toBe(2 * HOUR_MS);
  clock.advance(2 * HOUR_MS);
  await settled();
  expect(days).toEqual(['2026-10-24', '2026-10-25']);
  expect(clock.nextWakeMs).toBe(24 * HOUR_MS);
  await retention.stop();
});

test('tries again soon when the store is away, and says so', async () => {
  const { retention, clock, days, logged } = running([() => Promise.reject(new Error('away'))]);
  await settled();
  expect(logged).toEqual(['old days are not dropped yet, it is tried again']);
  expect(clock.nextWakeMs).toBe(60_000);
  clock.advance(60_000);
  await settled();
  expect(days).toHaveLength(2);
  await retention.stop();
});

test('stops when the running call has ended, and begins no other', async () => {
  const call = Promise.withResolvers<number>();
  const { retention, days } = running([() => call.promise]);
  const stopped = retention.stop().then(() => 'stopped');
  await settled();
  expect(await Promise.race([stopped, Promise.resolve('running')])).toBe('running');
  call.resolve(0);
  expect(await stopped).toBe('stopped');
  expect(days).toHaveLength(1);
});

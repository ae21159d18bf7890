import { expect, test } from 'vitest';
import { Chore, maintenance, retention } from '../../src/chores.ts';
import { SimulatedClock } from '../journal/simulated-clock.ts';

const HOUR_MS = 3_600_000;

/** Calls of `expire`; each settles by `answers`, in their order. */
function retaining(answers: (() => Promise<number>)[]) {
  const clock = new SimulatedClock(Date.parse('2026-11-23T22:00:00Z'));
  const days: string[] = [];
  const logged: string[] = [];
  const log = (_: unknown, message?: string) => void logged.push(message ?? '');
  const expire = (before: string): Promise<number> => {
    days.push(before);
    return (answers.shift() ?? (() => Promise.resolve(0)))();
  };
  const work = retention({ store: { expire }, days: 30, clock, log: { info: log, warn: log } });
  const chore = new Chore(work, clock);
  chore.start();
  return { chore, clock, days, logged };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('retention drops the days before at the start, and again after each UTC midnight', async () => {
  const { chore, clock, days, logged } = retaining([async () => 7]);
  await settled();
  expect(days).toEqual(['2026-10-24']);
  expect(logged).toEqual(['days beyond the retention are dropped']);
  expect(clock.nextWakeMs).toBe(2 * HOUR_MS);
  clock.advance(2 * HOUR_MS);
  await settled();
  expect(days).toEqual(['2026-10-24', '2026-10-25']);
  expect(clock.nextWakeMs).toBe(24 * HOUR_MS);
  await chore.stop();
});

test('retention lets counts outlive their events where it is told to', async () => {
  const clock = new SimulatedClock(Date.parse('2026-11-23T22:00:00Z'));
  const calls: (readonly (string | undefined)[])[] = [];
  const expire = (...days: readonly (string | undefined)[]): Promise<number> => {
    calls.push(days);
    return Promise.resolve(0);
  };
  const quiet = { info: () => undefined, warn: () => undefined };
  for (const countsDays of [400, 0, 30]) {
    const work = retention({ store: { expire }, days: 30, countsDays, clock, log: quiet });
    await work(new AbortController().signal);
  }
  expect(calls).toEqual([
    ['2026-10-24', '2025-10-19'],
    ['2026-10-24', '0001-01-01'],
    ['2026-10-24'],
  ]);
});

test('retention tries again soon when the store is away, and says so', async () => {
  const { chore, clock, days, logged } = retaining([() => Promise.reject(new Error('away'))]);
  await settled();
  expect(logged).toEqual(['old days are not dropped yet, it is tried again']);
  expect(clock.nextWakeMs).toBe(60_000);
  clock.advance(60_000);
  await settled();
  expect(days).toHaveLength(2);
  await chore.stop();
});

test('a chore stops when the running call has ended, and begins no other', async () => {
  const call = Promise.withResolvers<number>();
  const { chore, days } = retaining([() => call.promise]);
  const stopped = chore.stop().then(() => 'stopped');
  await settled();
  expect(await Promise.race([stopped, Promise.resolve('running')])).toBe('running');
  call.resolve(0);
  expect(await stopped).toBe('stopped');
  expect(days).toHaveLength(1);
});

test('maintenance is called a minute after it ended, whether or not it failed, and put off at most ten times', async () => {
  const clock = new SimulatedClock(Date.parse('2026-11-23T22:00:00Z'));
  const logged: string[] = [];
  let calls = 0;
  let isBusy = false;
  const maintain = async (): Promise<void> => {
    if (++calls === 1) throw new Error('away');
  };
  const log = { warn: (_: unknown, message?: string) => void logged.push(message ?? '') };
  const chore = new Chore(maintenance({ store: { maintain }, isBusy: () => isBusy, log }), clock);
  chore.start();
  await settled();
  expect(logged).toEqual(['the store is not tidied up yet, it is tried again']);
  expect(clock.nextWakeMs).toBe(60_000);
  clock.advance(60_000);
  await settled();
  expect(calls).toBe(2);
  expect(logged).toHaveLength(1);
  isBusy = true;
  for (let minute = 1; minute <= 10; minute++) {
    clock.advance(60_000);
    await settled();
    expect(calls).toBe(2);
  }
  clock.advance(60_000);
  await settled();
  expect(calls).toBe(3);
  await chore.stop();
});

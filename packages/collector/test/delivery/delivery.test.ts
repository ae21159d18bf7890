import { strict as assert } from 'node:assert';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AuditDay, audit } from '../../src/delivery/audit.ts';
import {
  Delivery,
  DELIVERY_LIMITS,
  type DeliveryOptions,
  retryDelayMs,
} from '../../src/delivery/delivery.ts';
import { RejectLog } from '../../src/delivery/reject-log.ts';
import { MetronomeError } from '../../src/errors.ts';
import type { EventStore } from '../../src/event-store.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { nodeDisk } from '../../src/journal/node-disk.ts';
import { systemClock } from '../../src/clock.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';
import { eventually, linesOf, openTestJournal, temporaryFolder } from '../journal/open.ts';
import { SimulatedClock } from '../journal/simulated-clock.ts';
import { MemoryStore } from './memory-store.ts';

const log = pino({ level: 'silent' });

function line(id: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const time = '2026-11-23T21:59:00.000Z';
  return JSON.stringify({
    '@timestamp': time,
    '@version': '1',
    'event.ingested': time,
    'event.created': time,
    ...(id === '' ? {} : { 'event.id': id }),
    'event.action': 'view',
    'service.name': 'default',
    ...fields,
  });
}

interface Parts {
  readonly folder: string;
  readonly journal: Journal;
  readonly rejects: RejectLog;
  readonly delivery: Delivery;
}

/** A journal and its delivery to this store, begun, on the real disk. */
async function deliver(
  store: DeliveryOptions['store'],
  options: Partial<DeliveryOptions> & { readonly folder?: string } = {},
): Promise<Parts> {
  const { folder = await temporaryFolder(), ...rest } = options;
  const journal = rest.journal ?? (await openTestJournal({ folder: join(folder, 'journal') }));
  const rejects = new RejectLog({
    folder: join(folder, 'rejects'),
    disk: nodeDisk,
    clock: new SimulatedClock(),
  });
  const delivery = new Delivery({
    journal,
    store,
    rejects,
    clock: systemClock,
    random: () => 0,
    log,
    batchDelayMs: 0,
    ...rest,
  });
  delivery.start();
  onTestFinished(() => delivery.stop());
  return { folder, journal, rejects, delivery };
}

async function delivered({ delivery }: Parts): Promise<void> {
  await eventually(() => delivery.status).toMatchObject({ state: 'delivering', waiting: 0 });
}

async function openDuckdb(folder: string): Promise<EventStore> {
  const store = openDuckdbStore({ dataDir: folder });
  onTestFinished(() => store.close());
  return store;
}

async function auditOf(parts: Parts, store: EventStore | MemoryStore): Promise<AuditDay> {
  const { days } = await audit({ journal: parts.journal, store, rejects: parts.rejects });
  const [day] = days;
  assert.ok(day !== undefined && days.length === 1);
  return day;
}

describe('to DuckDB', () => {
  it('stores events, tells duplicates, logs rejects, and audit agrees', async () => {
    const folder = await temporaryFolder();
    const store = await openDuckdb(folder);
    const parts = await deliver(store, { folder });
    const { journal, rejects } = parts;
    await journal.append([line('a'), line('b'), line('a'), line('c'), line(''), line('')]);
    await journal.append(['{"@timestamp":"2026-11-23T21:59:00.000Z","broken":tru}', line('b')]);
    await delivered(parts);
    expect(await auditOf(parts, store)).toEqual({
      day: '2026-11-23',
      acknowledged: 8,
      stored: 5,
      duplicates: 2,
      rejected: 1,
      waiting: 0,
      erased: 0,
      expired: 0,
      differences: [],
    });
    expect(await rejects.list()).toMatchObject([
      { collector: 'abc', segment: 1, sequence: 7, text: expect.stringContaining('broken') },
    ]);
  });

  it('counts what is erased', async () => {
    const folder = await temporaryFolder();
    const store = await openDuckdb(folder);
    const parts = await deliver(store, { folder });
    await parts.journal.append([line('a', { item: 'x' }), line('b', { item: 'y' })]);
    await delivered(parts);
    await store.erase({ item: 'x' });
    expect(await auditOf(parts, store)).toMatchObject({ stored: 1, erased: 1, differences: [] });
  });

  it('goes on where it was, and frees the journal', async () => {
    const folder = await temporaryFolder();
    const store = await openDuckdb(folder);
    const first = await deliver(store, { folder });
    await first.journal.append([line('a'), line('b')]);
    await delivered(first);
    await first.delivery.stop();
    await first.journal.append([line('c')]);
    await first.journal.close();
    const second = await deliver(store, { folder });
    await delivered(second);
    expect(second.delivery.status).toMatchObject({ stored: 1, duplicates: 0 });
    await eventually(() => second.journal.bytes).toBe(0);
    expect((await audit({ ...second, store })).agrees).toBe(true);
  });
});

describe('to a store in trouble', () => {
  it('tries for ever, says why, and then delivers all', async () => {
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    const parts = await deliver(store, { clock });
    store.plan('before', 'before', 'bug', 'before');
    await parts.journal.append([line('a')]);
    for (const failures of [1, 2, 3, 4]) {
      await eventually(() => parts.delivery.status.errors).toBe(failures);
      expect(parts.delivery.status).toMatchObject({ state: 'retrying', waiting: 1 });
      expect(parts.delivery.status.lastError).toMatch(/away|bug/u);
      await eventually(() => clock.nextWakeMs).toBe(100);
      clock.advance(100);
    }
    await delivered(parts);
    expect(parts.delivery.status.lastError).toBeUndefined();
    expect(store.events.size).toBe(1);
  });

  it('says how old the oldest waiting event is', async () => {
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    const journal = await openTestJournal({ clock });
    const parts = await deliver(store, { clock, journal });
    store.plan('before');
    await journal.append([line('a')]);
    await eventually(() => parts.delivery.status.errors).toBe(1);
    clock.advance(90);
    expect(parts.delivery.status).toMatchObject({ lagMs: 90, waiting: 1 });
  });

  it('says so too while it rests', async () => {
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    const journal = await openTestJournal({ clock });
    const slow: DeliveryOptions['store'] = {
      appendsAtOnce: 1,
      cursor: () => store.cursor(),
      append: (batch, keepRejects) => {
        clock.advance(400);
        return store.append(batch, keepRejects);
      },
    };
    const parts = await deliver(slow, { clock, journal, isBusy: () => true, batchEventsMax: 5 });
    await journal.append(linesOf(10));
    await eventually(() => clock.nextWakeMs).toBe(400 * DELIVERY_LIMITS.restFactor);
    clock.advance(50);
    expect(parts.delivery.status).toMatchObject({ lagMs: 450, waiting: 5 });
    clock.advance(400 * DELIVERY_LIMITS.restFactor);
    await delivered(parts);
    expect(parts.delivery.status.lagMs).toBe(0);
  });

  it('stops while it waits for the store', async () => {
    const store = new MemoryStore();
    const parts = await deliver(store, { clock: new SimulatedClock() });
    store.plan('before');
    await parts.journal.append([line('a')]);
    await eventually(() => parts.delivery.status.state).toBe('retrying');
    await parts.delivery.stop();
    expect(parts.delivery.status.state).toBe('stopped');
  });

  it('finds the one event that spoils its batch, by halves', async () => {
    const store = new MemoryStore();
    const stopped = await deliver(store);
    await stopped.delivery.stop();
    const lines = linesOf(1000).map((_, at) => line(`e${at}`, at === 700 ? { poison: true } : {}));
    await stopped.journal.append(lines);
    const parts = await deliver(store, { folder: stopped.folder, journal: stopped.journal });
    await delivered(parts);
    expect(await parts.rejects.list()).toMatchObject([
      { sequence: 701, reason: 'Poison.', event: { 'event.id': 'e700' } },
    ]);
    expect(await auditOf(parts, store)).toMatchObject({
      stored: 999,
      rejected: 1,
      differences: [],
    });
    expect(store.calls.length).toBeLessThan(25);
  });

  it('does not deliver to a store that knows more than the journal', async () => {
    const store = new MemoryStore();
    const older = await deliver(store);
    await older.journal.append([line('a'), line('b')]);
    await delivered(older);
    const parts = await deliver(store, { clock: new SimulatedClock() });
    await eventually(() => parts.delivery.status.lastError).toContain('older than the store');
    expect(parts.delivery.status.state).toBe('retrying');
  });
});

describe('of a journal that has lost something', () => {
  it('rejects what cannot be read, by name, and goes on', async () => {
    const first = await deliver(new MemoryStore());
    await first.journal.append([line('a'), line('b')]);
    await first.journal.roll();
    await first.journal.append([line('c')]);
    await first.delivery.stop();
    const folder = join(first.folder, 'journal');
    await first.journal.close();
    await rm(join(folder, '0000000000000001.journal'), { force: true });
    const store = new MemoryStore();
    const parts = await deliver(store, { folder: first.folder });
    await delivered(parts);
    expect(await parts.rejects.list()).toMatchObject([
      { segment: 1, sequence: 1, last: 2, reason: 'The event is no longer in the journal.' },
    ]);
    const found = await auditOf(parts, store);
    expect(found).toMatchObject({ acknowledged: 3, stored: 1, rejected: 2, differences: [] });
  });
});

describe('batches', () => {
  it('waits a little for more events, but not when there are enough', async () => {
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    const parts = await deliver(store, { clock, batchDelayMs: 100, batchEventsMax: 5 });
    await parts.journal.append([line('a')]);
    await eventually(() => clock.nextWakeMs).toBe(100);
    await parts.journal.append([line('b')]);
    expect(store.calls).toEqual([]);
    clock.advance(100);
    await eventually(() => store.calls).toEqual([{ first: 1, last: 2 }]);
    await parts.journal.append(linesOf(7).map((_, at) => line(`more${at}`)));
    await eventually(() => store.calls[1]).toEqual({ first: 3, last: 7 });
    await eventually(() => clock.nextWakeMs).toBe(100);
    clock.advance(100);
    await eventually(() => store.calls[2]).toEqual({ first: 8, last: 9 });
  });

  it('gather more of a stream, until there are many or time is up', async () => {
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    const journal = await openTestJournal({ journalBytesMax: 256 * 1024 * 1024 });
    const parts = await deliver(store, { clock, journal, batchDelayMs: 100 });
    const append = (count: number, name: string): Promise<unknown> =>
      parts.journal.append(linesOf(count).map((_, at) => line(`${name}${at}`)));
    const { streamEventsMin, batchEventsMax, streamDelayMs } = DELIVERY_LIMITS;
    await append(streamEventsMin, 'a');
    await eventually(() => clock.nextWakeMs).toBe(100);
    clock.advance(100);
    await eventually(() => clock.nextWakeMs).toBe(streamDelayMs);
    await append(5, 'b');
    expect(store.calls).toEqual([]);
    clock.advance(streamDelayMs);
    await eventually(() => store.calls).toEqual([{ first: 1, last: streamEventsMin + 5 }]);
    await append(batchEventsMax, 'c');
    await eventually(() => store.events.size).toBe(streamEventsMin + 5 + batchEventsMax);
  });

  it('rest several times as long as the last took while the intake is busy, up to a limit', async () => {
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    const tookMs = [400, 5_000, 0];
    const slow: DeliveryOptions['store'] = {
      appendsAtOnce: 1,
      cursor: () => store.cursor(),
      append: (batch, keepRejects) => {
        clock.advance(tookMs.shift() ?? 0);
        return store.append(batch, keepRejects);
      },
    };
    const parts = await deliver(slow, { clock, isBusy: () => true, batchEventsMax: 5 });
    await parts.journal.append(linesOf(15));
    const { restFactor, restMaxMs } = DELIVERY_LIMITS;
    for (const [calls, restMs] of [400 * restFactor, restMaxMs].entries()) {
      await eventually(() => clock.nextWakeMs).toBe(restMs);
      expect(store.calls).toHaveLength(calls + 1);
      clock.advance(restMs);
    }
    await eventually(() => store.calls).toHaveLength(3);
  });

  it('begin at once with what waited at the start', async () => {
    const journal = await openTestJournal({ journalBytesMax: 256 * 1024 * 1024 });
    const { streamEventsMin } = DELIVERY_LIMITS;
    await journal.append(linesOf(streamEventsMin).map((_, at) => line(`a${at}`)));
    const store = new MemoryStore();
    // Time stands still: whatever is waited for does not come.
    const clock = new SimulatedClock();
    await deliver(store, { clock, journal, batchDelayMs: 100 });
    await eventually(() => store.calls).toEqual([{ first: 1, last: streamEventsMin }]);
    await journal.append([line('b')]);
    await eventually(() => clock.nextWakeMs).toBe(100);
  });

  it('are begun while the last one is under way, where more wait and the store likes it', async () => {
    const journal = await openTestJournal();
    await journal.append(linesOf(12).map((_, at) => line(`a${at}`)));
    const store = new MemoryStore();
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    const slow: DeliveryOptions['store'] = {
      appendsAtOnce: 2,
      cursor: () => store.cursor(),
      append: async (batch, keep) => {
        const appended = store.append(batch, keep);
        await promise;
        return appended;
      },
    };
    const parts = await deliver(slow, { journal, batchEventsMax: 5 });
    await eventually(() => store.calls).toHaveLength(2);
    expect(parts.delivery.status).toMatchObject({ stored: 0, waiting: 12 });
    goOn();
    await delivered(parts);
    const [, , third] = store.calls;
    expect(store.calls.slice(0, 2)).toEqual([
      { first: 1, last: 5 },
      { first: 6, last: 10 },
    ]);
    expect(third).toMatchObject({ first: 11 });
  });

  it.each(['before', 'between', 'after'] as const)(
    'are all stored once where the first of two under way fails (%s)',
    async (trouble) => {
      const journal = await openTestJournal();
      await journal.append(linesOf(10).map((_, at) => line(`a${at}`)));
      const store = new MemoryStore();
      store.plan(trouble);
      const parts = await deliver(store, { journal, batchEventsMax: 5, random: () => 0 });
      await delivered(parts);
      expect(store.calls.slice(0, 2)).toEqual([
        { first: 1, last: 5 },
        { first: 6, last: 10 },
      ]);
      expect(parts.delivery.status.errors).toBe(1);
      expect(await auditOf(parts, store)).toMatchObject({ stored: 10, differences: [] });
    },
  );

  it('are cut by bytes', async () => {
    const store = new MemoryStore();
    const parts = await deliver(store, { batchBytesMax: 600 });
    await parts.journal.append(linesOf(6).map((_, at) => line(`e${at}`)));
    await delivered(parts);
    expect(store.calls.length).toBeGreaterThanOrEqual(3);
    expect(store.events.size).toBe(6);
  });
});

describe('the delay of a retry', () => {
  it('grows to a limit, with full jitter', () => {
    expect(retryDelayMs(1, () => 0)).toBe(100);
    expect(retryDelayMs(1, () => 1)).toBe(200);
    expect(retryDelayMs(5, () => 1)).toBe(3200);
    expect(retryDelayMs(1_000_000, () => 1)).toBe(30_000);
    expect(retryDelayMs(1_000_000, () => 0)).toBe(100);
  });
});

describe('rejects', () => {
  it('are tried again under their own identity, once', async () => {
    const store = new MemoryStore();
    const parts = await deliver(store);
    const { journal, rejects } = parts;
    await journal.append([line('a', { bad: true }), line('', { bad: true }), line('b')]);
    await delivered(parts);
    expect(await rejects.retry(journal, ({ sequence }) => sequence === 2)).toBe(1);
    expect(await rejects.retry(journal, ({ sequence }) => sequence <= 3)).toBe(1);
    expect(await rejects.retry(journal, ({ sequence }) => sequence <= 3)).toBe(0);
    await delivered(parts);
    const list = await rejects.list();
    expect(
      list.map(({ sequence, event, retried }) => [sequence, event?.['event.id'], retried]),
    ).toEqual([
      [1, 'a', '2026-11-23T22:00:00.000Z'],
      [2, undefined, '2026-11-23T22:00:00.000Z'],
      [4, '~abc-2', undefined],
      [5, 'a', undefined],
    ]);
    await rejects.close();
  });

  it('are refused like others while the journal is full', async () => {
    const parts = await deliver(new MemoryStore());
    await parts.journal.append([line('a', { bad: true })]);
    await delivered(parts);
    const full = { append: () => Promise.reject(new MetronomeError('unavailable', 'Full.')) };
    await expect(parts.rejects.retry(full, () => true)).rejects.toThrow('Full.');
    expect(await parts.rejects.list()).toMatchObject([{ sequence: 1 }]);
    expect(await parts.rejects.retry(parts.journal, () => true)).toBe(1);
  });
});

describe('audit', () => {
  it('counts what waits', async () => {
    const store = new MemoryStore();
    const parts = await deliver(store);
    await parts.journal.append([line('a')]);
    await delivered(parts);
    await parts.delivery.stop();
    await parts.journal.append([line('b'), line('c')]);
    const found = await auditOf(parts, store);
    expect(found).toMatchObject({ acknowledged: 3, stored: 1, waiting: 2, differences: [] });
  });

  it('names the events that the store has lost', async () => {
    const store = new MemoryStore();
    const parts = await deliver(store);
    await parts.journal.append(linesOf(100).map((_, at) => line(`e${at}`)));
    await delivered(parts);
    for (const sequence of [17, 40, 41, 42]) store.lose(sequence);
    expect((await auditOf(parts, store)).differences).toEqual([
      'The store has lost 4 of the events from 1 to 100: 17, 40 to 42.',
    ]);
  });

  it('names rejects that are gone from their log', async () => {
    const store = new MemoryStore();
    const parts = await deliver(store);
    await parts.journal.append([line('a', { bad: true })]);
    await delivered(parts);
    await rm(join(parts.folder, 'rejects'), { recursive: true });
    expect((await auditOf(parts, store)).differences).toEqual([
      '1 rejects of the events from 1 to 1 are not in the reject log.',
    ]);
  });

  it('counts each UTC day of receipt', async () => {
    const clock = new SimulatedClock(Date.parse('2026-11-23T23:59:59Z'));
    const journal = await openTestJournal({ clock });
    const store = new MemoryStore();
    const parts = await deliver(store, { journal });
    await journal.append([line('a')]);
    clock.advance(1000);
    await journal.append([line('b'), line('c')]);
    await delivered(parts);
    const { days } = await audit({ journal, store, rejects: parts.rejects });
    expect(days.map(({ day, acknowledged, stored }) => [day, acknowledged, stored])).toEqual([
      ['2026-11-23', 1, 1],
      ['2026-11-24', 2, 2],
    ]);
  });
});

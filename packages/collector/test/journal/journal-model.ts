import { strict as assert } from 'node:assert';
import { pino } from 'pino';
import { MetronomeError } from '../../src/errors.ts';
import type { Consumer } from '../../src/journal/consumer.ts';
import { type Journal, openJournal, type PlaceRange } from '../../src/journal/journal.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { seeded, SimulatedDisk } from './simulated-disk.ts';

/** One step of a run; see `JournalModel.step`. */
export type Step =
  | { readonly do: 'append'; readonly lengths: readonly number[] }
  | { readonly do: 'settle' }
  | { readonly do: 'crash'; readonly after: number; readonly seed: number }
  | { readonly do: 'cut'; readonly seed: number }
  | { readonly do: 'kill'; readonly after: number }
  | {
      readonly do: 'fail';
      readonly after: number;
      readonly times: number;
      readonly code: 'EIO' | 'ENOSPC';
      readonly part: number;
    }
  | { readonly do: 'capacity'; readonly freeBytes: number }
  | { readonly do: 'reopen' }
  | { readonly do: 'roll' }
  | { readonly do: 'advance'; readonly ms: number }
  | {
      readonly do: 'read';
      readonly consumer: number;
      readonly eventsMax: number;
      readonly bytesMax: number;
    }
  | { readonly do: 'release'; readonly consumer: number }
  | { readonly do: 'consume' };

const FOLDER = '/data/journal';
const SETTINGS = { segmentBytesMax: 3000, journalBytesMax: 20_000, freeBytesMin: 0 };
const CONSUMERS = ['store', 'archive'];
/** Bytes that could be taken for those of a header. */
const PAD = '#frame ä\n';
const DAY_MS = 86_400_000;

/**
 * Runs steps against a real journal on a simulated disk, and checks it against the plainest
 * model: a list of what was acknowledged.
 */
export class JournalModel {
  readonly disk = new SimulatedDisk();
  readonly #clock = new SimulatedClock();
  /** What a power cut leaves; without it, the process alone dies and the disk stays as it is. */
  #random: (() => number) | undefined;
  #journal: Journal | undefined;
  #consumers: Consumer[] = [];
  /** Ids of the acknowledged events; the one of sequence n at n - 1. */
  #acknowledged: string[] = [];
  /** Where each consumer reads next, and what it has released: its store's durable cursor. */
  readonly #cursors = CONSUMERS.map(() => ({ next: 1, released: 1 }));
  /** Ids of appends that were neither acknowledged nor refused when the power went. */
  readonly #uncertain = new Map<string, readonly string[]>();
  #running: Promise<void>[] = [];
  #appended = 0;

  /** Runs the steps, then shows that the journal still works when disk and consumers do. */
  async run(steps: readonly Step[]): Promise<void> {
    await this.#open();
    for (const step of steps) {
      await this.#unlessDead(() => this.step(step));
      for (let turns = 0; turns < 3; turns++) await turn();
      if (this.disk.dead) await this.#recover();
    }
    this.disk.heal();
    await this.#unlessDead(() => this.step({ do: 'settle' }));
    await this.#provesAlive();
    this.#random = seeded(steps.length);
    await this.#recover();
    await this.#readsAll();
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'append':
        this.#append(step.lengths);
        return;
      case 'settle':
        await Promise.all(this.#running);
        return;
      case 'kill':
        this.#random = undefined;
        this.disk.crashAfter(step.after);
        return;
      case 'crash':
        this.#random = seeded(step.seed);
        this.disk.crashAfter(step.after);
        return;
      case 'cut':
        this.#random = seeded(step.seed);
        this.disk.die();
        return;
      case 'fail':
        this.disk.failAfter(step.after, step.times, step.code, step.part);
        return;
      case 'capacity':
        this.disk.capacityBytes = this.disk.usedBytes + step.freeBytes;
        return;
      case 'reopen':
        await Promise.all(this.#running);
        await this.#journal?.close().catch(() => undefined);
        await this.#open();
        return;
      case 'roll':
        await this.#journal?.roll();
        return;
      case 'advance':
        this.#clock.advance(step.ms);
        return;
      case 'read':
        await this.#read(step.consumer, step);
        return;
      case 'release':
        this.#release(step.consumer);
        return;
      case 'consume':
        await this.#consume();
        return;
    }
  }

  #append(lengths: readonly number[]): void {
    const ids = lengths.map(() => `e${this.#appended++}`);
    const lines = ids.map((id, at) => JSON.stringify({ id, pad: PAD.repeat(lengths[at] ?? 0) }));
    const journal = this.#journal;
    if (journal === undefined) return;
    this.#uncertain.set(ids.join(), ids);
    this.#running.push(this.#awaitAppend(journal.append(lines), ids));
  }

  async #awaitAppend(appending: Promise<PlaceRange>, ids: readonly string[]): Promise<void> {
    try {
      const { first, last } = await appending;
      assert.equal(last, first + ids.length - 1);
      this.#acknowledge(first, ids);
    } catch (error) {
      assert.ok(error instanceof MetronomeError && error.code === 'unavailable', String(error));
      assert.ok(error.retryAfterS !== undefined && error.retryAfterS > 0);
    }
    this.#uncertain.delete(ids.join());
  }

  #acknowledge(first: number, ids: readonly string[]): void {
    assert.equal(first, this.#acknowledged.length + 1, 'acknowledged without a gap, in order');
    this.#acknowledged.push(...ids);
  }

  async #read(which: number, limits: { eventsMax: number; bytesMax: number }): Promise<number> {
    const consumer = this.#consumers[which];
    const cursor = this.#cursors[which];
    if (consumer === undefined || cursor === undefined) return 0;
    let batch;
    try {
      batch = await consumer.read(limits);
    } catch (error) {
      // The simulated fault hit the read; the reader goes back to where it was, as delivery does.
      assert.match(String(error), /simulated/u);
      await consumer.seek(cursor.next).catch(() => undefined);
      return 0;
    }
    if (batch === undefined) {
      assert.equal(cursor.next, this.#journal?.last === undefined ? 0 : this.#journal.last + 1);
      return 0;
    }
    assert.equal(batch.damage, undefined);
    assert.equal(batch.first, cursor.next);
    const lines = batch.lines.toString().split('\n');
    assert.equal(lines.pop(), '');
    assert.equal(lines.length, batch.last - batch.first + 1);
    assert.ok(lines.length <= limits.eventsMax);
    for (const [at, line] of lines.entries()) {
      const event = JSON.parse(line) as Record<string, unknown>;
      assert.equal(event['journal.sequence'], batch.first + at);
      assert.equal(event['journal.segment'], batch.segment);
      assert.equal(event['journal.collector'], this.#journal?.collector);
      assert.equal(event['id'], this.#acknowledged[batch.first + at - 1]);
    }
    cursor.next = batch.last + 1;
    return lines.length;
  }

  #release(which: number): void {
    const cursor = this.#cursors[which];
    if (cursor === undefined) return;
    cursor.released = cursor.next;
    this.#consumers[which]?.release(cursor.released);
  }

  /** Both consumers take all that is there. */
  async #consume(): Promise<void> {
    for (const which of CONSUMERS.keys()) {
      while ((await this.#read(which, { eventsMax: 100, bytesMax: 10_000 })) > 0);
      this.#release(which);
    }
  }

  async #unlessDead(work: () => Promise<void>): Promise<void> {
    await Promise.race([work(), this.disk.died]);
  }

  async #recover(): Promise<void> {
    do {
      if (!this.disk.dead) this.disk.die();
      this.#running = [];
      this.#journal = undefined;
      if (this.#random === undefined) this.disk.restart();
      else this.disk.reboot(this.#random);
      for (const cursor of this.#cursors) cursor.next = cursor.released;
      await this.#unlessDead(() => this.#open());
    } while (this.disk.dead);
    await this.#readsAll();
  }

  /** Opens the journal; a fault in it is an error, after which it opens without. */
  async #open(): Promise<void> {
    this.#running = [];
    let journal;
    try {
      journal = await this.#openJournal();
    } catch (error) {
      assert.match(String(error), /simulated|ENOSPC/u);
      this.disk.restart();
      this.disk.heal();
      journal = await this.#openJournal();
    }
    assert.ok(journal.last >= this.#acknowledged.length, 'the acknowledged are there');
    this.#consumers = CONSUMERS.map((name) => journal.consumer(name));
    this.#journal = journal;
    await this.#learnSurvivors(journal);
    for (const [which, consumer] of this.#consumers.entries()) {
      await consumer.seek(this.#cursors[which]?.next ?? 1);
      consumer.release(this.#cursors[which]?.released ?? 1);
    }
  }

  #openJournal(): Promise<Journal> {
    return openJournal({
      ...SETTINGS,
      folder: FOLDER,
      disk: this.disk.mount(),
      clock: this.#clock,
      log: pino({ level: 'silent' }),
      newId: () => 'abc',
    });
  }

  /** What the power cut left beyond the acknowledged: whole appends, each once. */
  async #learnSurvivors(journal: Journal): Promise<void> {
    const reader = this.#consumers[0];
    if (reader === undefined) return;
    const survivors: string[] = [];
    await reader.seek(this.#acknowledged.length + 1);
    while (reader.next <= journal.last) {
      const batch = await reader.read({ eventsMax: 1000, bytesMax: 100_000 });
      const lines = batch?.lines.toString().split('\n').slice(0, -1) ?? [];
      survivors.push(...lines.map((line) => String((JSON.parse(line) as { id: unknown }).id)));
    }
    assert.equal(new Set(survivors).size, survivors.length, 'nothing twice');
    const known = new Set(this.#acknowledged);
    assert.ok(
      survivors.every((id) => !known.has(id)),
      'nothing that was acknowledged before',
    );
    this.#acknowledged.push(...survivors);
    for (const ids of this.#uncertain.values()) {
      const left = ids.filter((id) => survivors.includes(id));
      assert.ok(left.length === 0 || left.length === ids.length, 'an append survives whole');
    }
    this.#uncertain.clear();
  }

  async #readsAll(): Promise<void> {
    for (const which of CONSUMERS.keys()) {
      const cursor = this.#cursors[which];
      const consumer = this.#consumers[which];
      if (cursor === undefined || consumer === undefined) continue;
      const { next } = cursor;
      while ((await this.#read(which, { eventsMax: 7, bytesMax: 700 })) > 0);
      assert.equal(cursor.next, this.#acknowledged.length + 1);
      cursor.next = next;
      await consumer.seek(next);
    }
  }

  /** With a healthy disk and consumers that go on, appends are taken again. */
  async #provesAlive(): Promise<void> {
    if (this.disk.dead) await this.#recover();
    await this.#consume();
    this.#clock.advance(DAY_MS);
    for (let turns = 0; turns < 20; turns++) await turn();
    const { last = 0 } = this.#journal ?? {};
    this.#append([1, 2, 3]);
    await Promise.all(this.#running);
    assert.equal(this.#journal?.last, last + 3, 'appends are taken again');
    const days = this.#journal.segments();
    assert.equal(
      days.reduce((sum, { segment, last: end }) => sum + end - segment + 1, 0),
      this.#acknowledged.length,
      'the ledger counts what was acknowledged',
    );
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

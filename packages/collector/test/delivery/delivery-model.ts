import { strict as assert } from 'node:assert';
import { pino } from 'pino';
import { audit } from '../../src/delivery/audit.ts';
import { Delivery } from '../../src/delivery/delivery.ts';
import { RejectLog } from '../../src/delivery/reject-log.ts';
import { type Journal, openJournal } from '../../src/journal/journal.ts';
import { SimulatedClock } from '../journal/simulated-clock.ts';
import { seeded, SimulatedDisk } from '../journal/simulated-disk.ts';
import { MemoryStore, type Trouble } from './memory-store.ts';

export interface ModelEvent {
  /** Few values, so that there are duplicates. */
  readonly id: number;
  readonly kind: 'good' | 'bad' | 'poison';
}

export type Step =
  | { readonly do: 'append'; readonly events: readonly ModelEvent[] }
  | { readonly do: 'trouble'; readonly troubles: readonly Trouble[] }
  | { readonly do: 'pass'; readonly ticks: number }
  | { readonly do: 'fail'; readonly after: number; readonly times: number }
  | { readonly do: 'kill'; readonly after: number }
  | { readonly do: 'cut'; readonly after: number; readonly seed: number }
  | { readonly do: 'roll' };

const TICK_MS = 100;
/** More than the longest back-off needs. */
const TICKS_MAX = 5000;
/** So that few rejects fill more than one sector of the disk. */
const PAD = 'x'.repeat(200);
const log = pino({ level: 'silent' });

/** Runs a journal, its delivery and a store through troubles, and audits what comes of it. */
export class DeliveryModel {
  readonly #clock = new SimulatedClock();
  readonly #disk = new SimulatedDisk();
  readonly #store = new MemoryStore();
  readonly #random = seeded(1);
  /** The acknowledged events, by sequence. */
  readonly #acknowledged = new Map<number, ModelEvent>();
  #cutSeed: number | undefined;
  #journal: Journal | undefined;
  #rejects: RejectLog | undefined;
  #delivery: Delivery | undefined;

  async run(steps: readonly Step[]): Promise<void> {
    await this.#start();
    for (const step of steps) {
      await Promise.race([this.#step(step), this.#disk.died]);
      await this.#pass(1);
    }
    this.#disk.heal();
    this.#store.heal();
    await this.#settle();
    await this.#check();
  }

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case 'append':
        this.#append(step.events);
        return;
      case 'trouble':
        this.#store.plan(...step.troubles);
        return;
      case 'pass':
        await this.#pass(step.ticks);
        return;
      case 'fail':
        this.#disk.failAfter(step.after, step.times, 'EIO', 0.3);
        return;
      case 'kill':
        this.#cutSeed = undefined;
        this.#disk.crashAfter(step.after);
        return;
      case 'cut':
        this.#cutSeed = step.seed;
        this.#disk.crashAfter(step.after);
        return;
      case 'roll':
        await this.#journal?.roll();
        return;
    }
  }

  #append(events: readonly ModelEvent[]): void {
    const lines = events.map(({ id, kind }) =>
      JSON.stringify({ '@timestamp': 'now', 'event.id': `${kind}${id}`, [kind]: true, PAD }),
    );
    this.#journal?.append(lines).then(
      ({ first }) => {
        for (const [at, event] of events.entries()) this.#acknowledged.set(first + at, event);
        return first;
      },
      () => undefined,
    );
  }

  /** Lets time pass; a process that died in it is started again. */
  async #pass(ticks: number): Promise<void> {
    for (let tick = 0; tick < ticks; tick++) {
      this.#clock.advance(TICK_MS);
      for (let turns = 0; turns < 4; turns++) await turn();
      if (this.#disk.dead) await this.#restart();
    }
  }

  async #settle(): Promise<void> {
    for (let ticks = 0; ticks < TICKS_MAX; ticks++) {
      await this.#pass(1);
      const { state, waiting } = this.#delivery?.status ?? {};
      if (state === 'delivering' && waiting === 0) return;
      if (this.#journal?.last === 0) return;
    }
    assert.fail(`still not delivered: ${JSON.stringify(this.#delivery?.status)}`);
  }

  async #restart(): Promise<void> {
    void this.#delivery?.stop();
    if (this.#cutSeed === undefined) this.#disk.restart();
    else this.#disk.reboot(seeded(this.#cutSeed));
    await this.#start();
  }

  async #start(): Promise<void> {
    const disk = this.#disk.mount();
    const clock = this.#clock;
    const journal = await openJournal({
      folder: '/data/journal',
      disk,
      clock,
      log,
      newId: () => 'abc',
      segmentBytesMax: 1500,
      journalBytesMax: 20_000,
      freeBytesMin: 0,
    });
    const rejects = new RejectLog({ folder: '/data/rejects', disk, clock });
    this.#journal = journal;
    this.#rejects = rejects;
    this.#delivery = new Delivery({
      journal,
      store: this.#store,
      rejects,
      clock,
      random: this.#random,
      log,
      batchEventsMax: 7,
    });
    this.#delivery.start();
  }

  async #check(): Promise<void> {
    const store = this.#store;
    const journal = this.#journal;
    const rejects = this.#rejects;
    assert.ok(journal !== undefined && rejects !== undefined);
    const found = await audit({ journal, store, rejects });
    assert.deepEqual(found.differences, []);
    for (const day of found.days) {
      assert.deepEqual(day.differences, []);
      const { stored, duplicates, rejected, waiting } = day;
      assert.equal(stored + duplicates + rejected + waiting, day.acknowledged);
    }
    assert.equal(
      found.days.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      journal.last,
    );
    const rejected = new Set((await rejects.list()).map(({ sequence }) => sequence));
    for (const [sequence, { id, kind }] of this.#acknowledged) {
      if (kind === 'good') assert.ok(store.events.has(`good${id}`), `${sequence} is stored`);
      else assert.ok(rejected.has(sequence), `${sequence} is in the reject log`);
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { StoredEvent } from '../../../src/event.ts';
import { filedTime } from '../../../src/filed-time.ts';
import { defineQuery } from '../../../src/query/declared.ts';
import type { Dimension, Filter } from '../../../src/query/query.ts';
import { append } from '../../../src/store/duckdb/append.ts';
import { declaredRollups } from '../../../src/store/duckdb/declared-rollup.ts';
import { Engine } from '../../../src/store/duckdb/engine.ts';
import { erase } from '../../../src/store/duckdb/erase.ts';
import { expire } from '../../../src/store/duckdb/expire.ts';
import { Questions } from '../../../src/store/duckdb/questions.ts';
import { Rollups } from '../../../src/store/duckdb/rollups.ts';
import { Session } from '../../../src/store/duckdb/session.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const FIRST = Date.UTC(2026, 10, 1);
const DAYS = 5;
const EVER = Date.parse('0001-01-01');
const ITEMS = ['trees', 'roads'];
const signal = new AbortController().signal;

interface Seen {
  readonly time: number;
  readonly created: number | undefined;
  readonly item: string;
  readonly visitor: string;
  readonly seconds: number;
}

const seenArb: fc.Arbitrary<Seen> = fc
  .record({
    time: fc.integer({ min: FIRST, max: FIRST + DAYS * DAY_MS - 1 }),
    shift: fc.constantFrom(undefined, 0, 0, -30 * HOUR_MS, 20 * HOUR_MS),
    item: fc.constantFrom(...ITEMS),
    visitor: fc.constantFrom('ann', 'bob', 'eve'),
    seconds: fc.integer({ min: 0, max: 60 }),
  })
  .map(({ shift, ...seen }) => ({
    ...seen,
    created: shift === undefined ? undefined : seen.time + shift,
  }));

const dayArb = fc.integer({ min: 1, max: DAYS }).map((day) => FIRST + day * DAY_MS);

const stepArb = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ take: fc.array(seenArb, { minLength: 1, maxLength: 12 }) }),
  },
  { weight: 3, arbitrary: fc.record({ expire: dayArb, countsFrom: fc.constant(EVER) }) },
  { weight: 1, arbitrary: fc.record({ expire: dayArb, countsFrom: dayArb }) },
  { weight: 2, arbitrary: fc.constant('count' as const) },
  { weight: 1, arbitrary: fc.constantFrom('tock', 'seconds') },
  { weight: 1, arbitrary: fc.record({ visitor: fc.constantFrom('ann', 'bob', 'eve') }) },
  { weight: 1, arbitrary: fc.record({ item: fc.constantFrom(...ITEMS) }) },
);
type Step =
  | { readonly take: readonly Seen[] }
  | { readonly expire: number; readonly countsFrom: number }
  | { readonly visitor: string }
  | { readonly item: string }
  | string;

interface Fault {
  /** So many statements go well before one that does not. */
  readonly after: number;
  readonly says: string;
}

const faultArb = fc.option(
  fc.record({
    after: fc.nat(60),
    says: fc.constantFrom('Out of Memory Error', 'IO Error', 'FATAL Error'),
  }),
  { nil: undefined, freq: 3 },
);

const INJECTED = 'injected';
/** By what the store comes back from a fault, or opens its file. */
const SPARED = /^(?:ROLLBACK|CHECKPOINT|CREATE|ALTER|ATTACH|USE|PRAGMA|DROP)/u;

/** Gives what lets one of the next statements fail. */
function faulty(): (fault: Fault | undefined) => void {
  let fault: Fault | undefined;
  const mayFail = (sql: string): void => {
    if (fault === undefined || SPARED.test(sql)) return;
    const { after, says } = fault;
    fault = after > 0 ? { after: after - 1, says } : undefined;
    if (after === 0) throw new Error(`${says}: ${INJECTED}`);
  };
  const { run, rows } = Session.prototype;
  vi.spyOn(Session.prototype, 'run').mockImplementation(async function (this: Session, ...given) {
    mayFail(given[0]);
    await run.apply(this, given);
  });
  vi.spyOn(Session.prototype, 'rows').mockImplementation(async function (this: Session, ...given) {
    mayFail(given[0]);
    return rows.apply(this, given);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  return (next) => (fault = next);
}

/** Runs `work`, again where an injected fault ends it, as the chores do. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      const { cause = error } = error as Error;
      if (!String(cause).includes(INJECTED)) throw error;
    }
  }
}

/** What the counts are to be, event by event. */
class Model {
  #there: readonly Seen[] = [];
  #dropped: readonly Seen[] = [];
  /** Erased with their item where only the counts of the site remembered them. */
  #ofSite: readonly Seen[] = [];
  #since = EVER;

  apply(step: Step): void {
    if (typeof step === 'string') return;
    if ('take' in step) this.#there = [...this.#there, ...step.take];
    else if ('expire' in step) this.#expire(step.expire, step.countsFrom);
    else if ('visitor' in step) {
      this.#there = this.#there.filter(({ visitor }) => visitor !== step.visitor);
    } else {
      const isOf = ({ item }: Seen): boolean => item === step.item;
      this.#there = this.#there.filter((one) => !isOf(one));
      this.#ofSite = [...this.#ofSite, ...this.#dropped.filter(isOf)];
      this.#dropped = this.#dropped.filter((one) => !isOf(one));
    }
  }

  #expire(before: number, countsFrom: number): void {
    const areKept = countsFrom < before;
    const goes = (one: Seen): boolean => filedDay(one) < before && (one.time < before || !areKept);
    const dropped = this.#there.filter((one) => goes(one) && one.time < before);
    this.#there = this.#there.filter((one) => !goes(one));
    this.#since = Math.max(this.#since, Math.min(countsFrom, before));
    const isCounted = ({ time }: Seen): boolean => time >= this.#since;
    this.#dropped = [...this.#dropped, ...dropped].filter(isCounted);
    this.#ofSite = this.#ofSite.filter(isCounted);
  }

  get there(): readonly Seen[] {
    return this.#there;
  }

  ofItem(name: string): readonly Seen[] {
    return [...this.#there, ...this.#dropped].filter(({ item }) => item === name);
  }

  ofSite(): readonly Seen[] {
    return [...this.#there, ...this.#dropped, ...this.#ofSite];
  }
}

function filedDay({ time, created }: Seen): number {
  return Math.floor(filedTime({ time, received: time, created }) / DAY_MS) * DAY_MS;
}

function toEvent({ time, created, item, visitor, seconds }: Seen): StoredEvent {
  return eventAt(new Date(time).toISOString(), 'app', {
    item,
    'user.id': visitor,
    metrics: { seconds },
    ...(created !== undefined && { 'event.created': new Date(created).toISOString() }),
  });
}

const declared = {
  seconds: defineQuery({
    rollup: true,
    measures: {
      seconds: { kind: 'sum', field: 'seconds' },
      longest: { kind: 'max', field: 'seconds' },
    },
    dimensions: { day: { kind: 'time', interval: 'day' } },
  }),
};

it('counts outlive their events exactly, whatever comes late, stays, is erased or fails', async () => {
  const inject = faulty();
  const stepsArb = fc.array(fc.tuple(stepArb, faultArb), { minLength: 3, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(stepsArb, async (steps) => {
      const dataDir = mkdtempSync(join(tmpdir(), 'metronome-outlived-'));
      const engine = new Engine({ dataDir });
      try {
        await follow(engine, steps, inject);
      } finally {
        inject(undefined);
        await engine.close();
        rmSync(dataDir, { recursive: true, force: true });
      }
    }),
    { numRuns: 25 },
  );
});

async function follow(
  engine: Engine,
  steps: readonly (readonly [Step, Fault | undefined])[],
  inject: (fault: Fault | undefined) => void,
): Promise<void> {
  const rollups = new Rollups(engine, declaredRollups(declared), false);
  const questions = new Questions(engine, rollups);
  const model = new Model();
  let next = 1;
  let now = FIRST + 30 * DAY_MS;
  for (const [step, fault] of steps) {
    inject(fault);
    await untilDone(async () => {
      if (step === 'count') await rollups.keepUp((now += DAY_MS), signal);
      else if (typeof step === 'string') await rollups.rebuild(step);
      else if ('take' in step) {
        const batch = batchOf('j', next, step.take.map(toEvent));
        await rollups.storing(() => append(engine, batch, () => Promise.resolve()));
      } else if ('expire' in step) {
        const countsBefore = isoDay(Math.min(step.countsFrom, step.expire));
        await expire(engine, rollups, isoDay(step.expire), { countsBefore, vectorsMax: 1 });
      } else await erase(engine, rollups, step);
    });
    inject(undefined);
    if (typeof step === 'object' && 'take' in step) next += step.take.length;
    model.apply(step);
    await compare(questions, model);
  }
}

async function compare(questions: Questions, model: Model): Promise<void> {
  const range = { from: FIRST - 7 * DAY_MS, to: FIRST + (DAYS + 7) * DAY_MS };
  const n = { kind: 'count' } as const;
  const ask = (dimension: Dimension, filter?: Filter) =>
    questions.ask({
      measures: { n },
      dimensions: { by: dimension },
      order: [{ by: 'by', direction: 'ascending' }],
      range,
      ...(filter && { filter }),
    });
  const day = { kind: 'time', interval: 'day' } as const;
  const hour = { kind: 'time', interval: 'hour' } as const;
  expect(await ask(day), 'days of the site').toEqual(countBy(model.ofSite(), dayOf));
  expect(await ask(hour), 'hours of the site').toEqual(
    countBy(model.ofSite(), ({ time }) => Math.floor(time / HOUR_MS) * HOUR_MS),
  );
  for (const item of ITEMS) {
    const filter: Filter = { kind: 'equals', field: 'item', value: item };
    expect(await ask(day, filter), `days of ${item}`).toEqual(countBy(model.ofItem(item), dayOf));
  }
  expect(await ask({ kind: 'field', field: 'item' }), 'items').toEqual(
    countBy(
      ITEMS.flatMap((item) => model.ofItem(item)),
      ({ item }) => item,
    ),
  );
  const { rollup: _, ...query } = declared.seconds;
  const order = [{ by: 'day', direction: 'ascending' }] as const;
  // Rows of items are all that a declared query has: it forgets an erased item wholly.
  expect(await questions.ask({ ...query, order, range }), 'declared').toEqual(
    Map.groupBy(
      ITEMS.flatMap((item) => model.ofItem(item)),
      dayOf,
    )
      .entries()
      .map(([one, all]) => ({
        day: one,
        seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
        longest: Math.max(...all.map(({ seconds }) => seconds)),
      }))
      .toArray()
      .toSorted((a, b) => a.day - b.day),
  );
  // From an excerpt, whose rows go with their events.
  const [views] = await questions.ask({
    measures: { n, visitors: { kind: 'distinct', field: 'visitor' } },
    filter: { kind: 'equals', field: 'event', value: 'view' },
    range,
  });
  expect(views, 'views').toEqual({ n: model.there.length, visitors: visitorsOf(model.there) });
  const never: Filter = { kind: 'not', filter: { kind: 'exists', field: 'never' } };
  const [events] = await questions.ask({ measures: { n }, filter: never, range });
  expect(events, 'events').toEqual({ n: model.there.length });
}

function visitorsOf(all: readonly Seen[]): number {
  return new Set(all.map(({ visitor }) => visitor)).size;
}

function isoDay(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

function dayOf({ time }: Seen): number {
  return Math.floor(time / DAY_MS) * DAY_MS;
}

function countBy<T extends number | string>(
  all: readonly Seen[],
  by: (seen: Seen) => T,
): readonly { readonly by: T; readonly n: number }[] {
  return Map.groupBy(all, by)
    .entries()
    .map(([one, alike]) => ({ by: one, n: alike.length }))
    .toArray()
    .toSorted((a, b) => (a.by < b.by ? -1 : 1));
}

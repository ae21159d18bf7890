import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { evaluate, valuesOf } from '../../query/evaluate.ts';
import { eventsArb, othersArb, queryArb, scanArb } from '../../query/random.ts';
import { scanEvents } from '../../query/scan-events.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { Filter, Query, Row } from '../../../src/query/query.ts';
import type { Scan } from '../../../src/query/scan.ts';
import { batchOf, eventAt, journaled } from '../journal-lines.ts';
import { closeTo } from './close-to.ts';
import { ofApp, type OpenStore } from './with-store.ts';

/** Random events and queries: the store against plain loops in memory. */
export function propertyTests(open: OpenStore, numRuns: number): void {
  it('answers random queries as plain loops over the events do', async () => {
    await fc.assert(
      fc.asyncProperty(
        eventsArb('to be named'),
        fc.array(fc.oneof({ weight: 3, arbitrary: queryArb }, othersArb), {
          minLength: 1,
          maxLength: 8,
        }),
        async (nameless, queries) => {
          const app = open.newName();
          const events = nameless.map((event) => ({ ...event, 'service.name': app }));
          if (events.length > 0) await open.takeEvents(events);
          for (const query of queries) await expectSame(withApp(query, app), events);
        },
      ),
      { numRuns },
    );
  });

  async function expectSame(query: Query, events: readonly StoredEvent[]): Promise<void> {
    const atRest = events.map((event) => ({ ...event }));
    const answer = await open.store.query(query);
    const expected = evaluate(query, atRest);
    expect(answer.map(withoutPercentile)).toEqual(expected.map(withoutPercentile).map(closeTo));
    const percentile = query.measures['p'];
    if (percentile?.kind !== 'percentile') return;
    for (const row of answer) {
      expectPercentile(
        row['p'] ?? null,
        valuesOf(percentile.field, query, row, atRest),
        percentile.at,
      );
    }
  }

  it('reads random scans as plain loops over the events do', async () => {
    await fc.assert(
      fc.asyncProperty(
        eventsArb('to be named'),
        fc.array(scanArb, { minLength: 1, maxLength: 3 }),
        async (nameless, scans) => {
          const app = open.newName();
          const events = nameless.map((event) => ({ ...event, 'service.name': app }));
          const journal = open.newName();
          if (events.length > 0) await open.take(batchOf(journal, 1, events));
          const atRest = journaled(journal, 1, events).map((event) => ({ ...event }));
          for (const scan of scans.map((one) => scanOfApp(one, app))) {
            expect(await Array.fromAsync(open.store.scan(scan))).toEqual(scanEvents(scan, atRest));
          }
        },
      ),
      { numRuns },
    );
  });

  it('keeps each identity once, whatever comes in which batch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batchArb, { minLength: 1, maxLength: 6 }), async (batches) => {
        const app = open.newName();
        const journals = [open.newName(), open.newName()] as const;
        const next = [1, 1];
        const model = new Identities();
        for (const { journal, events } of batches) {
          const named = events.map((event) => ({ ...event, 'service.name': app }));
          const first = next[journal] ?? 1;
          next[journal] = first + named.length;
          const stored = named.filter((event) => model.isNew(event)).length;
          expect(await open.take(batchOf(journals[journal] ?? '', first, named))).toMatchObject({
            stored,
            duplicates: named.length - stored,
            rejected: 0,
          });
        }
        expect(await open.count(app)).toBe(model.stored);
      }),
      { numRuns },
    );
  });
}

/** The identity rules as sets: what a store must find by looking at what it holds. */
class Identities {
  stored = 0;
  readonly #known = new Set<string>();

  isNew(event: StoredEvent): boolean {
    const { 'event.id': id, 'event.created': created } = event;
    const keys = id === undefined ? [] : identityKeys(id, created, event['event.ingested']);
    if (keys.some((key) => this.#known.has(key))) return false;
    if (keys[0] !== undefined) this.#known.add(keys[0]);
    this.stored++;
    return true;
  }
}

/** The event's own key first, then the others under which a twin may be known. */
function identityKeys(id: string, created: string | undefined, received: string): string[] {
  if (created !== undefined) return [`${id} ${created}`];
  const dayBefore = new Date(Date.parse(received) - 86_400_000).toISOString();
  return [received, dayBefore].map((time) => `${id} received ${time.slice(0, 10)}`);
}

const identityEventArb = fc
  .record({
    id: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    created: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
    received: fc.integer({ min: 10, max: 13 }),
  })
  .map(({ id, created, received }): StoredEvent => {
    const time = `2026-11-${received}T10:00:00.000Z`;
    return eventAt(time, 'to be named', {
      ...(id && { 'event.id': id }),
      ...(created && { 'event.created': `2026-11-10T09:00:00.00${created}Z` }),
    });
  });

const batchArb = fc.record({
  journal: fc.constantFrom(0 as const, 1 as const),
  events: fc.array(identityEventArb, { minLength: 1, maxLength: 6 }),
});

function withApp(query: Query, app: string): Query {
  const filter = query.filter
    ? ({ kind: 'and', filters: [ofApp(app), query.filter] } as const)
    : ofApp(app);
  return { ...query, filter };
}

function scanOfApp(scan: Scan, app: string): Scan {
  const both = (filter: Filter | undefined): Filter =>
    filter ? { kind: 'and', filters: [ofApp(app), filter] } : ofApp(app);
  const { visitors } = scan;
  return {
    ...scan,
    filter: both(scan.filter),
    ...(visitors && { visitors: { ...visitors, having: both(visitors.having) } }),
  };
}

function withoutPercentile(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'p'));
}

/** Between the neighbours of the exact rank: engines interpolate differently over few values. */
function expectPercentile(value: Row[string], sorted: readonly number[], at: number): void {
  if (sorted.length === 0) {
    expect(value).toBeNull();
    return;
  }
  const rank = (at / 100) * (sorted.length - 1);
  const low = sorted[Math.max(0, Math.floor(rank) - 1)] ?? Number.NaN;
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(rank) + 1)] ?? Number.NaN;
  expect(value).toBeGreaterThanOrEqual(low - ROUNDING);
  expect(value).toBeLessThanOrEqual(high + ROUNDING);
}

/** Of what lies between two values. */
const ROUNDING = 1e-6;

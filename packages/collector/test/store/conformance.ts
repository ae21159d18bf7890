import { describe } from 'vitest';
import type { EventStore } from '../../src/event-store.ts';
import { appendTests } from './conformance/append.ts';
import { eraseTests } from './conformance/erase.ts';
import { expireTests } from './conformance/expire.ts';
import { keyTests } from './conformance/keys.ts';
import { outlivedTests } from './conformance/outlived.ts';
import { propertyTests } from './conformance/properties.ts';
import { queryTests } from './conformance/queries.ts';
import { rebuildTests } from './conformance/rebuild.ts';
import { restoreTests } from './conformance/restore.ts';
import { scanTests } from './conformance/scans.ts';
import { withStore } from './conformance/with-store.ts';

export interface ConformanceOptions {
  /** Runs of each property; more find more. */
  readonly propertyRuns?: number;
}

/**
 * What every store must do, on its real engine. `open` gives an empty store each time: the suite
 * opens one for each group and closes it.
 */
export function describeEventStore(
  name: string,
  open: () => Promise<EventStore>,
  { propertyRuns = 60 }: ConformanceOptions = {},
): void {
  describe(name, () => {
    describe('append', () => appendTests(withStore(open)));
    describe('query', () => queryTests(withStore(open)));
    describe('scan', () => scanTests(withStore(open)));
    describe('keys and values', () => keyTests(withStore(open)));
    describe('erase and export', () => eraseTests(withStore(open)));
    describe('restore', () => restoreTests(withStore(open)));
    describe('expire', () => expireTests(withStore(open)));
    describe('counts that outlive their events', () => outlivedTests(withStore(open)));
    describe('rollups that are rebuilt', () => rebuildTests(withStore(open)));
    describe('properties', () => propertyTests(withStore(open), propertyRuns));
  });
}

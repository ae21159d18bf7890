import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, test } from 'vitest';
import type { EventStore } from '../../src/event-store.ts';
import type { DeclaredRows } from '../../src/query/declared.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';
import { answerRequest } from '../../src/tock/answer-request.ts';
import { parseRequest } from '../../src/tock/request.ts';
import type { Statistic } from '../../src/tock/statistic.ts';
import { BUILT_IN } from '../../src/tock/statistics.ts';
import { declared } from '../../src/tock/statistics/declared.ts';
import { items } from '../../src/tock/statistics/items.ts';
import { tock } from '../../src/tock/statistics/tock.ts';
import { batchOf, eventAt } from '../store/journal-lines.ts';

const now = Date.UTC(2026, 10, 23, 12);
const signal = new AbortController().signal;
const n = { kind: 'count' } as const;

/** Answered from counts once they are made. */
const browsers: DeclaredRows = {
  measures: { n },
  dimensions: { browser: { kind: 'field', field: 'browser', missing: 'none' } },
  rollup: true,
};

let dataDir = '';
let store: EventStore;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metronome-event-limit-'));
  store = openDuckdbStore({ dataDir });
  const events = ['2026-11-20', '2026-11-21', '2026-11-22'].map((day) =>
    eventAt(`${day}T10:00:00.000Z`, 'default', { item: day, 'user.id': 'ann' }),
  );
  await store.append(batchOf('journal', 1, events), () => Promise.resolve());
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

function ask(statistic: Statistic, parameters = '', queryEventsMax = 2): Promise<unknown> {
  const request = parseRequest(undefined, new URLSearchParams(parameters), {
    names: statistic.parameters,
    timeZone: 'UTC',
  });
  const rules = { sites: [], queryEventsMax, retentionDays: 0 };
  return answerRequest(store, statistic, request, now, rules);
}

const tooMany = { code: 'bad-request', extensions: { events: 3, eventsMax: 2 } };

it('counts what no counts have been made of yet', async () => {
  await expect(ask(tock)).rejects.toMatchObject(tooMany);
  await expect(ask(tock, '', 3)).resolves.toBeDefined();
  await store.maintain(signal);
  await expect(ask(tock)).resolves.toBeDefined();
  await expect(ask(items)).resolves.toBeDefined();
});

test.each([
  ['minutes', { t: { kind: 'time', interval: 'minute' } }, ''],
  [
    'hours by format',
    { t: { kind: 'time', interval: 'hour' }, f: { kind: 'field', field: 'format', missing: '' } },
    '',
  ],
  [
    'days by referer where they are none of UTC',
    { t: { kind: 'time', interval: 'day' }, r: { kind: 'field', field: 'referer', missing: '' } },
    'tz=Europe/Berlin',
  ],
] as const)('no counts help with %s', async (_, dimensions, parameters) => {
  const query = declared({ measures: { n }, dimensions });
  await expect(ask(query, parameters)).rejects.toMatchObject(tooMany);
});

test('those of a declared query help once they are made', async () => {
  await store.close();
  store = openDuckdbStore({ dataDir, queries: { browsers } });
  await expect(ask(declared(browsers))).rejects.toMatchObject(tooMany);
  await store.maintain(signal);
  await expect(ask(declared(browsers))).resolves.toBeDefined();
  await expect(ask(declared({ ...browsers, limit: 1 }))).resolves.toBeDefined();
  await expect(ask(BUILT_IN.devices)).rejects.toMatchObject(tooMany);
});

test('many events beside the counts are no help', async () => {
  const late = eventAt('2026-11-19T10:00:00.000Z', 'default', { item: 'late' });
  await store.append(batchOf('late', 1, [late, late, late]), () => Promise.resolve());
  await expect(ask(tock)).rejects.toMatchObject({ extensions: { events: 6 } });
  await expect(ask(tock, 'from=2026-11-20')).rejects.toMatchObject(tooMany);
  await store.maintain(signal);
  await store.erase({ item: 'late' });
  await store.maintain(signal);
});

test('intervals are summed up', async () => {
  await expect(ask(BUILT_IN.retention, 'from=2026-11-21')).resolves.toBeDefined();
  await expect(ask(BUILT_IN.retention, 'from=2026-11-20')).rejects.toMatchObject(tooMany);
});

test('so are items, but questions about the same events are one', async () => {
  const two = 'item=2026-11-20&item=2026-11-21';
  await expect(ask(BUILT_IN.devices, two)).resolves.toBeDefined();
  await expect(ask(BUILT_IN.devices, `${two}&item=2026-11-22`)).rejects.toMatchObject(tooMany);
});

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { audit } from '../../src/delivery/audit.ts';
import { Delivery } from '../../src/delivery/delivery.ts';
import { RejectLog } from '../../src/delivery/reject-log.ts';
import { nodeDisk } from '../../src/journal/node-disk.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';
import { eventually, openTestJournal, temporaryFolder } from '../journal/open.ts';

/** Acknowledged appends after which each process is killed. */
const ROUNDS = [150, 40, 333, 1, 220];

it('loses and doubles nothing when its process is killed, again and again', async () => {
  const folder = await temporaryFolder();
  const acknowledged = { good: new Set<string>(), bad: new Set<number>() };
  for (const [round, killAfter] of ROUNDS.entries()) {
    const child = spawn(
      process.execPath,
      [`${import.meta.dirname}/sigkill-deliverer.ts`, folder, String(round)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let count = 0;
    for await (const line of createInterface(child.stdout)) {
      const [sequence, id = '', kind] = line.split(' ');
      if (kind === 'good') acknowledged.good.add(id);
      else acknowledged.bad.add(Number(sequence)).add(Number(sequence) + 1);
      count += 1;
      if (count === killAfter) child.kill('SIGKILL');
    }
    expect(count).toBeGreaterThanOrEqual(killAfter);
  }

  const journal = await openTestJournal({ folder: join(folder, 'journal') });
  const store = openDuckdbStore({ dataDir: folder });
  const disk = nodeDisk;
  const clock = systemClock;
  const rejects = new RejectLog({ folder: join(folder, 'rejects'), disk, clock });
  const log = pino({ level: 'silent' });
  const delivery = new Delivery({ journal, store, rejects, clock, random: Math.random, log });
  delivery.start();
  await eventually(() => delivery.status).toMatchObject({ state: 'delivering', waiting: 0 });

  const found = await audit({ journal, store, rejects });
  expect(found.days.flatMap(({ differences }) => differences)).toEqual([]);
  expect(found.agrees).toBe(true);
  const stored: unknown[] = [];
  for await (const event of store.export({ app: 'default' })) stored.push(event['event.id']);
  const ids = new Set(stored);
  expect(ids.size).toBe(stored.length);
  expect([...acknowledged.good].filter((id) => !ids.has(id))).toEqual([]);
  const rejected = new Set((await rejects.list()).map(({ sequence }) => sequence));
  expect([...acknowledged.bad].filter((sequence) => !rejected.has(sequence))).toEqual([]);
  await delivery.stop();
  await journal.close();
  await store.close();
});

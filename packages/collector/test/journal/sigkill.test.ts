import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { EVERYTHING, openTestJournal, temporaryFolder } from './open.ts';

const ROUNDS = 5;
const ACKNOWLEDGED_EACH = 400;

it('has every acknowledged event after its process was killed, again and again', async () => {
  const folder = await temporaryFolder();
  const acknowledged = new Map<number, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const writer = spawn(process.execPath, [`${import.meta.dirname}/sigkill-writer.ts`, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let count = 0;
    for await (const line of createInterface(writer.stdout)) {
      const [sequence, id = ''] = line.split(' ');
      expect(acknowledged.has(Number(sequence))).toBe(false);
      acknowledged.set(Number(sequence), id);
      count += 1;
      if (count === ACKNOWLEDGED_EACH) writer.kill('SIGKILL');
    }
    if (writer.signalCode === null) await once(writer, 'exit');
    expect(writer.signalCode).toBe('SIGKILL');
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(ROUNDS * ACKNOWLEDGED_EACH);
  const journal = await openTestJournal({ folder });
  const store = journal.consumer('store');
  const found = new Map<number, string>();
  for (let batch = await store.read(EVERYTHING); batch; batch = await store.read(EVERYTHING)) {
    expect(batch.damage).toBeUndefined();
    for (const line of batch.lines.toString().trimEnd().split('\n')) {
      const event = JSON.parse(line) as { 'journal.sequence': number; id: string };
      found.set(event['journal.sequence'], event.id);
    }
  }
  expect([...found.keys()]).toEqual(Array.from({ length: journal.last }, (_, index) => index + 1));
  expect(new Set(found.values()).size).toBe(found.size);
  expect([...acknowledged].filter(([sequence, id]) => found.get(sequence) !== id)).toEqual([]);
  await journal.close();
});

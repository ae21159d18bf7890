/** Appends for ever and says what was acknowledged; `sigkill.test.ts` kills it. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { nodeDisk } from '../../src/journal/node-disk.ts';

const [folder = ''] = process.argv.slice(2);
const journal = await openJournal({
  folder,
  disk: nodeDisk,
  clock: systemClock,
  log: pino({ level: 'silent' }),
  newId: () => 'abc',
  journalBytesMax: 1024 ** 3,
  segmentBytesMax: 50_000,
});

async function appendForEver(): Promise<void> {
  for (;;) {
    const id = randomUUID();
    const { first } = await journal.append([JSON.stringify({ '@timestamp': 'now', id })]);
    await new Promise((resolve) => {
      process.stdout.write(`${first} ${id}\n`, resolve);
    });
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));

/** Appends and delivers for ever, and says what was acknowledged; `sigkill.test.ts` kills it. */
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import { Delivery } from '../../src/delivery/delivery.ts';
import { RejectLog } from '../../src/delivery/reject-log.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { nodeDisk } from '../../src/journal/node-disk.ts';
import { openDuckdbStore } from '../../src/store/duckdb/store.ts';

const [folder = '', round = ''] = process.argv.slice(2);
const disk = nodeDisk;
const clock = systemClock;
const journal = await openJournal({
  folder: join(folder, 'journal'),
  disk,
  clock,
  log: pino({ level: 'silent' }),
  newId: () => 'abc',
  journalBytesMax: 1024 ** 3,
  segmentBytesMax: 40_000,
});
const delivery = new Delivery({
  journal,
  store: openDuckdbStore({ dataDir: folder }),
  rejects: new RejectLog({ folder: join(folder, 'rejects'), disk, clock }),
  clock,
  random: Math.random,
  log: pino({ level: 'silent' }),
  batchDelayMs: 0,
  batchEventsMax: 50,
});
delivery.start();

/** Each event is sent twice, and every tenth is not JSON. */
function lineOf(id: string, at: number): string {
  const time = '2026-11-23T21:59:00.000Z';
  if (at % 10 === 9) return `{"@timestamp":"${time}","event.id":"${id}",broken}`;
  return JSON.stringify({
    '@timestamp': time,
    '@version': '1',
    'event.ingested': time,
    'event.created': time,
    'event.id': id,
    'event.action': 'view',
    'service.name': 'default',
  });
}

async function appendForEver(writer: number): Promise<void> {
  for (let at = 0; ; at++) {
    const id = `${round}-${writer}-${at}`;
    const { first } = await journal.append([lineOf(id, at), lineOf(id, at)]);
    await new Promise((resolve) => {
      process.stdout.write(`${first} ${id} ${at % 10 === 9 ? 'bad' : 'good'}\n`, resolve);
    });
  }
}

await Promise.all(Array.from({ length: 4 }, (_, writer) => appendForEver(writer)));

/**
 * A process that appends batch after batch to a store and reports each one, to be killed or to
 * run out of disk: `node appender.ts <data folder> <events in a batch>`.
 */
import { MetronomeError } from '../../../src/errors.ts';
import { openDuckdbStore } from '../../../src/store/duckdb/store.ts';
import { batchOf, eventAt } from '../journal-lines.ts';

const [dataDir = '', size = '100'] = process.argv.slice(2);
const store = openDuckdbStore({ dataDir });
const journal = 'appender';
const start = Date.UTC(2026, 10, 23);

for (;;) {
  try {
    const first = await store.cursor(journal);
    const events = Array.from({ length: Number(size) }, (_, index) => {
      const n = first + index;
      const time = new Date(start + n).toISOString();
      return eventAt(time, 'app', {
        'event.id': `id-${n}`,
        'event.created': time,
        item: `item-${n % 7}`,
        // Does not compress to nothing, so that disks fill.
        title: `${Math.imul(n, 2_654_435_761)}`.repeat(20),
      });
    });
    await store.append(batchOf(journal, first, events), () => Promise.resolve());
    process.stdout.write(`stored ${first + events.length - 1}\n`);
  } catch (error) {
    const code = error instanceof MetronomeError ? error.code : 'crashed';
    process.stdout.write(`${code} ${String(error).split('\n')[0]}\n`);
    if (code !== 'unavailable') process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

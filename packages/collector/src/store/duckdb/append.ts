import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBValue } from '@duckdb/node-api';
import type { Appended, Batch, KeepRejects } from '../../event-store.ts';
import type { Engine, Session } from './engine.ts';
import { readableLines } from './readable-lines.ts';
import { columnType, eventColumns, quoted } from './schema.ts';
import { findTwins } from './twins.ts';

/**
 * Takes a batch. The lines go through a file into a temporary table, by the engine's own JSON
 * reader with the columns given, outside any transaction; then one transaction moves what is new
 * into `events` and adds to the tally, which is the cursor. A crash in between leaves nothing but
 * the file, which the next batch overwrites.
 */
export function append(engine: Engine, batch: Batch, keepRejects: KeepRejects): Promise<Appended> {
  return engine.write(async (session) => {
    const first = Math.max(batch.first, await nextSequence(session, batch.collector));
    if (first > batch.last) return { stored: 0, duplicates: 0, rejected: 0 };
    if (batch.lines.length > 0) {
      await load(session, join(engine.dataDir, 'metronome.duckdb.incoming'), batch, keepRejects);
    }
    return session.transaction(async () => {
      const counts = batch.lines.length > 0 ? await move(session, first) : noEvents;
      const rejected = batch.last - first + 1 - counts.stored - counts.duplicates;
      const appended = { ...counts, rejected };
      await addToTally(session, batch, appended);
      return appended;
    });
  });
}

/** The cursor of a journal. */
export async function nextSequence(session: Session, collector: string): Promise<number> {
  const sql = 'SELECT coalesce(max(last), 0) + 1 FROM tallies WHERE collector = $1';
  return number(await session.rows(sql, [collector]));
}

const noEvents = { stored: 0, duplicates: 0 };

/** Fills the temporary table `incoming`; lines that the engine cannot read become rejects. */
async function load(
  session: Session,
  file: string,
  batch: Batch,
  keepRejects: KeepRejects,
): Promise<void> {
  try {
    await writeFile(file, batch.lines);
    try {
      await session.run(loadSql(file, batch.lines));
    } catch (error) {
      const { lines, rejects } = readableLines(batch);
      if (rejects.length === 0) throw error;
      await keepRejects(rejects);
      await writeFile(file, lines);
      await session.run(loadSql(file, lines));
    }
  } finally {
    await rm(file, { force: true });
  }
}

function loadSql(file: string, lines: Buffer): string {
  const columns = eventColumns.map((column) => `'${column}': '${columnType(column)}'`).join(', ');
  // The reader's buffers are twice this size for each thread, so it must not be generous.
  const bytesMax = Math.max(longestLine(lines) + 1, 256 * 1024);
  return `CREATE OR REPLACE TEMP TABLE incoming AS SELECT * FROM read_json('${file.replaceAll("'", "''")}',
    format = 'newline_delimited', maximum_object_size = ${bytesMax}, columns = {${columns}})`;
}

function longestLine(lines: Buffer): number {
  let longest = 0;
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(10, start);
    const stop = end === -1 ? lines.length : end;
    longest = Math.max(longest, stop - start);
    start = stop + 1;
  }
  return longest;
}

/** Moves the incoming events from `first` on that have no twin into `events`. */
async function move(
  session: Session,
  first: number,
): Promise<{ stored: number; duplicates: number }> {
  const twins = await findTwins(session, first);
  const columns = eventColumns.map(quoted).join(', ');
  const without =
    twins.size === 0 ? '' : `AND "journal.sequence" NOT IN (${[...twins].join(', ')})`;
  const moved = await session.rows(
    `INSERT INTO events (${columns}) SELECT ${columns} FROM incoming
     WHERE "journal.sequence" >= ${first} ${without}`,
  );
  return { stored: number(moved), duplicates: twins.size };
}

async function addToTally(session: Session, batch: Batch, appended: Appended): Promise<void> {
  await session.run(
    `INSERT INTO tallies VALUES ($1, $2, $3, $4, $5, $6, 0, 0)
     ON CONFLICT (collector, segment) DO UPDATE SET last = excluded.last,
       stored = tallies.stored + excluded.stored,
       duplicates = tallies.duplicates + excluded.duplicates,
       rejected = tallies.rejected + excluded.rejected`,
    [
      batch.collector,
      batch.segment,
      batch.last,
      appended.stored,
      appended.duplicates,
      appended.rejected,
    ],
  );
}

function number(rows: DuckDBValue[][]): number {
  return Number(rows[0]?.[0]);
}

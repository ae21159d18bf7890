import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBValue } from '@duckdb/node-api';
import { MetronomeError } from '../../errors.ts';
import type { Appended, Batch, KeepRejects } from '../../event-store.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';
import { isRefusal } from './trouble.ts';
import { readableLines } from './readable-lines.ts';
import { columnType, type EventColumn, eventColumns, quoted, quotedText } from './schema.ts';
import { dropErased, dropTwins, IDENTITY } from './twins.ts';

/**
 * Takes a batch in one transaction. The lines go into a file, which the engine's own JSON reader
 * passes over twice, with the columns given: first the identities alone into the temporary table
 * `incoming`, from which twins are dropped; then all columns of what is left into `events`. That
 * is a third cheaper than keeping all columns in between. The tally is the cursor (see the
 * schema). A crash leaves nothing but the file, which the next batch overwrites.
 */
export function append(engine: Engine, batch: Batch, keepRejects: KeepRejects): Promise<Appended> {
  return engine.write(async (session) => {
    const file = join(engine.dataDir, 'metronome.duckdb.incoming');
    try {
      return await take(session, file, batch);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { lines, rejects } = readableLines(batch);
      if (rejects.length === 0) throw unreadable(error);
      await keepRejects(rejects);
      return await take(session, file, { ...batch, lines }).catch((again: unknown) => {
        throw isRefusal(again) ? unreadable(again) : again;
      });
    } finally {
      await rm(file, { force: true });
    }
  });
}

/** Every line looks right: delivery has to find the one that is wrong. */
function unreadable(cause: unknown): MetronomeError {
  return new MetronomeError('bad-request', 'The store cannot read these events.', { cause });
}

/** Where a journal stands: the next sequence to take, and the segment that was last taken from. */
export async function position(
  session: Session,
  collector: string,
): Promise<{ readonly next: number; readonly segment: number | undefined }> {
  const [row] = await session.rows(
    'SELECT last, segment FROM tallies WHERE collector = $1 ORDER BY segment DESC LIMIT 1',
    [collector],
  );
  return row
    ? { next: Number(row[0]) + 1, segment: Number(row[1]) }
    : { next: 1, segment: undefined };
}

async function take(session: Session, file: string, batch: Batch): Promise<Appended> {
  await writeFile(file, batch.lines);
  return session.transaction(async () => {
    const { next, segment } = await position(session, batch.collector);
    const first = Math.max(batch.first, next);
    if (first > batch.last) return { stored: 0, duplicates: 0, rejected: 0 };
    const [[number] = []] = await session.rows('SELECT coalesce(max(batch), 0) + 1 FROM tallies');
    const counts =
      batch.lines.length === 0
        ? nothing
        : await move(
            session,
            { file, lineBytesMax: longestLine(batch.lines) },
            first,
            Number(number),
          );
    const rejected = batch.last - first + 1 - counts.stored - counts.duplicates;
    const appended = { ...counts, rejected };
    await session.run(batch.segment === segment ? ADD_TO_TALLY : BEGIN_TALLY, [
      batch.collector,
      batch.segment,
      batch.last,
      appended.stored,
      appended.duplicates,
      appended.rejected,
      Number(number),
    ]);
    return appended;
  });
}

const BEGIN_TALLY = 'INSERT INTO tallies VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)';
/** An upsert would do for both and takes three times as long. */
const ADD_TO_TALLY = `UPDATE tallies SET last = $3, stored = stored + $4,
  duplicates = duplicates + $5, rejected = rejected + $6, batch = $7 WHERE collector = $1 AND segment = $2`;

type Counts = Pick<Appended, 'stored' | 'duplicates'>;
const nothing: Counts = { stored: 0, duplicates: 0 };

interface Incoming {
  readonly file: string;
  readonly lineBytesMax: number;
}

/** Moves what is new from the file into `events`. */
async function move(
  session: Session,
  { file, lineBytesMax }: Incoming,
  first: number,
  batch: number,
): Promise<Counts> {
  const linesFrom = (columns: readonly EventColumn[]): string =>
    `FROM ${readJson(file, columns, lineBytesMax)} WHERE "journal.sequence" >= ${first}`;
  await session.run(`CREATE OR REPLACE TEMP TABLE incoming AS SELECT * ${linesFrom(IDENTITY)}`);
  const duplicates = (await dropErased(session)) + (await dropTwins(session));
  const kept = 'AND "journal.sequence" IN (SELECT "journal.sequence" FROM incoming)';
  const columns = eventColumns.map(quoted).join(', ');
  const stored = await session.rows(
    `INSERT INTO events (${columns}, batch)
     SELECT ${columns}, ${batch} ${linesFrom(eventColumns)} ${duplicates > 0 ? kept : ''}`,
  );
  return { stored: count(stored), duplicates };
}

/** The engine's reader holds twice the longest line that it is told to take, which is 32 MB by default. */
const LINE_BYTES_USUAL = 1024 * 1024;

function longestLine(lines: Buffer): number {
  let longest = LINE_BYTES_USUAL;
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(10, start) + 1;
    if (end === 0) return Math.max(longest, lines.length - start);
    longest = Math.max(longest, end - start);
    start = end;
  }
  return longest;
}

function readJson(file: string, columns: readonly EventColumn[], lineBytesMax: number): string {
  const types = columns.map((column) => `${quotedText(column)}: '${columnType(column)}'`);
  return `read_json(${quotedText(file)}, format = 'newline_delimited', maximum_object_size = ${lineBytesMax}, columns = {${types.join(', ')}})`;
}

function count(rows: DuckDBValue[][]): number {
  return Number(rows[0]?.[0]);
}

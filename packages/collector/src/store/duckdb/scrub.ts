import type { Engine } from './engine.ts';
import type { Session } from './session.ts';
import type { Rollup } from './rollup.ts';
import { writeAnew } from './rollup-tables.ts';
import { EVENTS_DEFINITION } from './schema.ts';

/**
 * Makes the bytes of erased events go from the file. The engine only marks deleted rows, keeps
 * columns of many row groups in one block, and leaves freed blocks as they are. So the table is
 * written anew, which frees every block that it had, and then all free blocks are written over; so
 * is what is free in blocks of metadata, where the least and the greatest values of columns were.
 *
 * This costs what the table is large, and as much room again while it runs. Not reached are copies
 * that others made: blocks that the file system or the disk itself has put elsewhere.
 */
export async function scrub(engine: Engine, rollups: readonly Rollup[]): Promise<void> {
  const isDone = await engine.writeAlone(async (session) => {
    if ((await session.rows('SELECT 1 FROM scrubs LIMIT 1')).length === 0) return false;
    await rewrite(session, rollups);
    await session.run('CHECKPOINT');
    await overwriteFreeBlocks(session);
    await session.run('DELETE FROM scrubs');
    return true;
  });
  if (isDone) await engine.renew();
}

/** In the commit that erases: the scrub is owed until it is done, whatever happens between. */
export function oweScrub(session: Session): Promise<void> {
  return session.run("INSERT INTO scrubs VALUES (now() AT TIME ZONE 'UTC')");
}

async function rewrite(session: Session, rollups: readonly Rollup[]): Promise<void> {
  await session.transaction(async () => {
    await session.run(`CREATE TABLE anew (${EVENTS_DEFINITION})`);
    await session.run('INSERT INTO anew BY NAME SELECT * FROM events');
    await session.run('DROP TABLE events');
    await session.run('ALTER TABLE anew RENAME TO events');
  });
  await session.transaction(() => writeAnew(session, rollups));
}

/** Hashes do not compress: the filler takes every free block, and is larger for good measure. */
async function overwriteFreeBlocks(session: Session): Promise<void> {
  await fillMetadata(session);
  const [row] = await session.rows(
    `SELECT free_blocks, block_size FROM pragma_database_size()
     WHERE database_name = current_database()`,
  );
  const [freeBlocks = 0, blockBytes = 0] = row?.map(Number) ?? [];
  const hashes = ((freeBlocks + SPARE_BLOCKS) * blockBytes) / 8;
  await session.run(
    `CREATE OR REPLACE TABLE filler AS SELECT hash(range) AS hash FROM range(${hashes})`,
  );
  await session.run('CHECKPOINT');
  await session.run('DROP TABLE filler');
  await emptyMetadata(session);
  await session.run('CHECKPOINT');
}

const SPARE_BLOCKS = 4;

/** The text of a macro is metadata: as many as fill all that is free there. */
async function fillMetadata(session: Session): Promise<void> {
  const [[bytes = 0] = []] = await session.rows(
    `SELECT sum(free_blocks * block_size / total_blocks) FROM pragma_metadata_info(),
       (SELECT block_size FROM pragma_database_size() WHERE database_name = current_database())`,
  );
  const texts = Math.ceil(Number(bytes) / FILLER_BYTES) + 1;
  for (let index = 0; index < texts; index++) {
    const text = '.'.repeat(FILLER_BYTES);
    await session.run(`CREATE OR REPLACE MACRO filler_${index}() AS '${text}'`);
  }
}

async function emptyMetadata(session: Session): Promise<void> {
  const fillers = await session.rows(
    "SELECT function_name FROM duckdb_functions() WHERE starts_with(function_name, 'filler_')",
  );
  for (const [name] of fillers) await session.run(`DROP MACRO ${String(name)}`);
}

const FILLER_BYTES = 1_048_576;
